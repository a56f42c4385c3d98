//! The tags queries: read once per process and language.

use std::sync::OnceLock;

use tree_sitter::Query;

use super::record::{SymbolKind, SymbolRole};
use crate::code::language::Language;

/// What a capture of a tags query stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capture {
    /// The name of what is defined.
    Name,
    /// The type that a definition belongs to although it stands outside of it.
    Owner,
    /// What stands before a name.
    Qualifier,
    /// The whole of what is defined or declared, or the name that is used.
    Symbol(SymbolRole, SymbolKind),
    /// An import statement.
    Import,
    /// What an import that is an expression is bound to, or what is taken out of it.
    Bound,
    /// A range whose names are those of a type, without defining it.
    Scope,
    /// A function without a name.
    Block,
    /// An export statement.
    Export,
    /// A name that is exported elsewhere than at its definition.
    Exported,
    /// A list of names that alone are exported.
    Exports,
    /// From here on, members of the type are visible like this.
    Access,
    /// Read by predicates only.
    Other,
}

/// A language's query and what its captures stand for.
pub(super) struct Tags {
    pub(super) query: Query,
    pub(super) captures: Vec<Capture>,
}

const LANGUAGES: usize = 16;

/// The query of a language; `None` where this build has no grammar of it.
pub(super) fn tags(language: Language) -> Option<&'static Tags> {
    static TAGS: [OnceLock<Option<Tags>>; LANGUAGES] = [const { OnceLock::new() }; LANGUAGES];
    // A query that its grammar does not take is met by the test below, never by a user.
    TAGS.get(language as usize)?.get_or_init(|| read(language).ok().flatten()).as_ref()
}

fn read(language: Language) -> Result<Option<Tags>, tree_sitter::QueryError> {
    let Some(grammar) = language.grammar() else { return Ok(None) };
    let query = Query::new(&grammar, &source(language))?;
    let captures = query.capture_names().iter().map(|name| capture(name)).collect();
    Ok(Some(Tags { query, captures }))
}

fn capture(name: &str) -> Capture {
    if let Some((role, kind)) = name.split_once('.') {
        let role = match role {
            "definition" => SymbolRole::Definition,
            "declaration" => SymbolRole::Declaration,
            _ => SymbolRole::Reference,
        };
        return SymbolKind::of_name(kind).map_or(Capture::Other, |kind| Capture::Symbol(role, kind));
    }
    match name {
        "name" => Capture::Name,
        "owner" => Capture::Owner,
        "qualifier" => Capture::Qualifier,
        "import" => Capture::Import,
        "bound" => Capture::Bound,
        "scope" => Capture::Scope,
        "block" => Capture::Block,
        "export" => Capture::Export,
        "exported" => Capture::Exported,
        "exports" => Capture::Exports,
        "access" => Capture::Access,
        _ => Capture::Other,
    }
}

fn source(language: Language) -> String {
    let parts: &[&str] = match language {
        Language::Python => &[include_str!("python.scm")],
        Language::JavaScript => {
            &[include_str!("ecmascript.scm"), include_str!("javascript.scm"), include_str!("jsx.scm")]
        }
        Language::TypeScript => &[include_str!("ecmascript.scm"), include_str!("typescript.scm")],
        Language::Tsx => {
            &[include_str!("ecmascript.scm"), include_str!("jsx.scm"), include_str!("typescript.scm")]
        }
        Language::Java => &[include_str!("java.scm")],
        Language::Go => &[include_str!("go.scm")],
        Language::Rust => &[include_str!("rust.scm")],
        Language::C => &[include_str!("c.scm"), include_str!("ctypes.scm")],
        Language::Cpp => &[include_str!("c.scm"), include_str!("cpp.scm"), include_str!("ctypes.scm")],
        Language::Bash => &[include_str!("bash.scm")],
        Language::CSharp => &[include_str!("csharp.scm")],
        Language::Ruby => &[include_str!("ruby.scm")],
        Language::Php => &[include_str!("php.scm")],
        Language::Kotlin => &[include_str!("kotlin.scm")],
        Language::Swift => &[include_str!("swift.scm")],
        Language::Scala => &[include_str!("scala.scm")],
    };
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_is_taken_by_its_grammar() {
        assert_eq!(Language::all().count(), LANGUAGES);
        for language in Language::all().filter(|language| language.grammar().is_some()) {
            if let Err(error) = read(language) {
                panic!("{}: {error}", language.name());
            }
            let tags = tags(language).unwrap();
            for (name, capture) in tags.query.capture_names().iter().zip(&tags.captures) {
                let read_by_predicate = ["list", "object", "property", "require", "source"].contains(name);
                assert_eq!(*capture == Capture::Other, read_by_predicate, "{}: @{name}", language.name());
            }
        }
    }
}
