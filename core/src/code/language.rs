//! The languages that can be read: names, how their files are recognised, grammars.

use serde::{Deserialize, Serialize};

use super::record::LanguageRow;

/// A language with a grammar that this library knows, built in or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the name of its language")]
pub enum Language {
    Python,
    JavaScript,
    TypeScript,
    Tsx,
    Java,
    Go,
    Rust,
    C,
    Cpp,
    Bash,
    CSharp,
    Ruby,
    Php,
    Kotlin,
    Swift,
    Scala,
}

/// How files of a language are recognised.
struct Recognised {
    language: Language,
    /// The name in answers and options, lower case.
    name: &'static str,
    /// What a person calls it.
    title: &'static str,
    /// Endings of file names, without the dot, lower case.
    extensions: &'static [&'static str],
    /// Whole file names.
    files: &'static [&'static str],
    /// Interpreters of a shebang line, without version numbers.
    interpreters: &'static [&'static str],
}

const TABLE: &[Recognised] = &[
    Recognised {
        language: Language::Python,
        name: "python",
        title: "Python",
        extensions: &["py", "pyi", "pyw"],
        files: &["SConstruct", "SConscript", "wscript"],
        interpreters: &["python", "pypy"],
    },
    Recognised {
        language: Language::JavaScript,
        name: "javascript",
        title: "JavaScript",
        extensions: &["js", "mjs", "cjs", "jsx"],
        files: &["Jakefile"],
        interpreters: &["node", "nodejs", "deno", "bun"],
    },
    Recognised {
        language: Language::TypeScript,
        name: "typescript",
        title: "TypeScript",
        extensions: &["ts", "mts", "cts"],
        files: &[],
        interpreters: &["ts-node", "tsx"],
    },
    Recognised {
        language: Language::Tsx,
        name: "tsx",
        title: "TSX",
        extensions: &["tsx"],
        files: &[],
        interpreters: &[],
    },
    Recognised {
        language: Language::Java,
        name: "java",
        title: "Java",
        extensions: &["java"],
        files: &[],
        interpreters: &["java"],
    },
    Recognised {
        language: Language::Go,
        name: "go",
        title: "Go",
        extensions: &["go"],
        files: &[],
        interpreters: &[],
    },
    Recognised {
        language: Language::Rust,
        name: "rust",
        title: "Rust",
        extensions: &["rs"],
        files: &[],
        interpreters: &["rust-script"],
    },
    Recognised {
        language: Language::C,
        name: "c",
        title: "C",
        extensions: &["c", "h"],
        files: &[],
        interpreters: &[],
    },
    Recognised {
        language: Language::Cpp,
        name: "cpp",
        title: "C++",
        extensions: &["cc", "cpp", "cxx", "c++", "hpp", "hh", "hxx", "h++", "ipp", "tpp", "inl"],
        files: &[],
        interpreters: &[],
    },
    Recognised {
        language: Language::Bash,
        name: "bash",
        title: "Bash",
        extensions: &["sh", "bash", "zsh", "ksh"],
        files: &[".bashrc", ".bash_profile", ".profile"],
        interpreters: &["bash", "sh", "dash", "ksh", "zsh"],
    },
    Recognised {
        language: Language::CSharp,
        name: "csharp",
        title: "C#",
        extensions: &["cs", "csx"],
        files: &[],
        interpreters: &[],
    },
    Recognised {
        language: Language::Ruby,
        name: "ruby",
        title: "Ruby",
        extensions: &["rb", "rake", "gemspec", "ru"],
        files: &["Rakefile", "Gemfile", "Vagrantfile"],
        interpreters: &["ruby", "jruby"],
    },
    Recognised {
        language: Language::Php,
        name: "php",
        title: "PHP",
        extensions: &["php", "phtml"],
        files: &[],
        interpreters: &["php"],
    },
    Recognised {
        language: Language::Kotlin,
        name: "kotlin",
        title: "Kotlin",
        extensions: &["kt", "kts"],
        files: &[],
        interpreters: &["kotlin"],
    },
    Recognised {
        language: Language::Swift,
        name: "swift",
        title: "Swift",
        extensions: &["swift"],
        files: &[],
        interpreters: &["swift"],
    },
    Recognised {
        language: Language::Scala,
        name: "scala",
        title: "Scala",
        extensions: &["scala", "sc"],
        files: &[],
        interpreters: &["scala"],
    },
];

impl Language {
    /// Every language, in the order of the documentation's table.
    pub fn all() -> impl Iterator<Item = Language> {
        TABLE.iter().map(|row| row.language)
    }

    fn row(self) -> &'static Recognised {
        // The table stands in the order of the enumeration; a test holds it there.
        &TABLE[self as usize]
    }

    /// The name in answers and options.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What a person calls it.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The language of this name, in any case.
    pub fn of_name(name: &str) -> Option<Language> {
        TABLE.iter().find(|row| row.name.eq_ignore_ascii_case(name)).map(|row| row.language)
    }

    /// Endings of its file names, without the dot, lower case.
    pub fn extensions(self) -> &'static [&'static str] {
        self.row().extensions
    }

    /// The language of files of this ending (without the dot, in any case); of `h` it is C.
    pub fn of_extension(extension: &str) -> Option<Language> {
        let is = |known: &&str| known.eq_ignore_ascii_case(extension);
        TABLE.iter().find(|row| row.extensions.iter().any(&is)).map(|row| row.language)
    }

    /// The language of files of this whole name.
    pub fn of_file_name(name: &str) -> Option<Language> {
        TABLE.iter().find(|row| row.files.contains(&name)).map(|row| row.language)
    }

    /// The language that an interpreter runs: `python3.12`, `bash`.
    pub fn of_interpreter(program: &str) -> Option<Language> {
        let name = program.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        TABLE.iter().find(|row| row.interpreters.contains(&name)).map(|row| row.language)
    }

    /// The language of linguist's name, in any case: `C++`, `Shell`, `TSX`.
    pub fn of_linguist(name: &str) -> Option<Language> {
        // An attribute has no white space: linguist writes `Jupyter-Notebook`.
        match name.to_ascii_lowercase().as_str() {
            "shell" => Some(Language::Bash),
            "jsx" => Some(Language::JavaScript),
            name => Language::of_name(name).or_else(|| {
                TABLE.iter().find(|row| row.title.eq_ignore_ascii_case(name)).map(|row| row.language)
            }),
        }
    }

    /// What it is, as data.
    pub fn describe(self) -> LanguageRow {
        let row = self.row();
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        LanguageRow {
            name: row.name.to_owned(),
            title: row.title.to_owned(),
            extensions: texts(row.extensions),
            files: texts(row.files),
            interpreters: texts(row.interpreters),
            built_in: self.is_built_in(),
        }
    }

    /// Whether this build has its grammar.
    pub fn is_built_in(self) -> bool {
        self.grammar().is_some()
    }

    /// The grammar; `None` where this build has it not.
    pub fn grammar(self) -> Option<tree_sitter::Language> {
        match self {
            #[cfg(feature = "lang-python")]
            Language::Python => Some(tree_sitter_python::LANGUAGE.into()),
            #[cfg(feature = "lang-javascript")]
            Language::JavaScript => Some(tree_sitter_javascript::LANGUAGE.into()),
            #[cfg(feature = "lang-typescript")]
            Language::TypeScript => Some(tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()),
            #[cfg(feature = "lang-typescript")]
            Language::Tsx => Some(tree_sitter_typescript::LANGUAGE_TSX.into()),
            #[cfg(feature = "lang-java")]
            Language::Java => Some(tree_sitter_java::LANGUAGE.into()),
            #[cfg(feature = "lang-go")]
            Language::Go => Some(tree_sitter_go::LANGUAGE.into()),
            #[cfg(feature = "lang-rust")]
            Language::Rust => Some(tree_sitter_rust::LANGUAGE.into()),
            #[cfg(feature = "lang-c")]
            Language::C => Some(tree_sitter_c::LANGUAGE.into()),
            #[cfg(feature = "lang-cpp")]
            Language::Cpp => Some(tree_sitter_cpp::LANGUAGE.into()),
            #[cfg(feature = "lang-bash")]
            Language::Bash => Some(tree_sitter_bash::LANGUAGE.into()),
            #[cfg(feature = "lang-csharp")]
            Language::CSharp => Some(tree_sitter_c_sharp::LANGUAGE.into()),
            #[cfg(feature = "lang-ruby")]
            Language::Ruby => Some(tree_sitter_ruby::LANGUAGE.into()),
            #[cfg(feature = "lang-php")]
            Language::Php => Some(tree_sitter_php::LANGUAGE_PHP.into()),
            #[cfg(feature = "lang-kotlin")]
            Language::Kotlin => Some(tree_sitter_kotlin_ng::LANGUAGE.into()),
            #[cfg(feature = "lang-swift")]
            Language::Swift => Some(tree_sitter_swift::LANGUAGE.into()),
            #[cfg(feature = "lang-scala")]
            Language::Scala => Some(tree_sitter_scala::LANGUAGE.into()),
            #[allow(unreachable_patterns, reason = "with every language built in, nothing is left")]
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_enumeration() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.language as usize, at, "{}", row.name);
            assert_eq!(Language::of_name(row.name), Some(row.language));
        }
    }

    #[test]
    fn every_grammar_that_is_built_in_loads() {
        for language in Language::all() {
            if let Some(grammar) = language.grammar() {
                let mut parser = tree_sitter::Parser::new();
                parser.set_language(&grammar).unwrap();
            }
        }
    }
}
