//! What the nodes of each grammar mean: one table per language, looked up by node kind.
//!
//! A table is written down as rows of node names and meanings, one file per language, and turned
//! into a vector indexed by `kind_id` once, so that reading a tree compares no strings.

use std::collections::HashMap;
use std::sync::OnceLock;

use tree_sitter::Node;

use super::language::Language;
use super::metrics::hash;

#[cfg(feature = "lang-bash")]
mod bash;
#[cfg(feature = "lang-c")]
mod c;
#[cfg(feature = "lang-cpp")]
mod cpp;
#[cfg(feature = "lang-csharp")]
mod csharp;
#[cfg(feature = "lang-go")]
mod go;
#[cfg(feature = "lang-java")]
mod java;
#[cfg(any(feature = "lang-javascript", feature = "lang-typescript"))]
mod javascript;
#[cfg(feature = "lang-kotlin")]
mod kotlin;
#[cfg(feature = "lang-php")]
mod php;
#[cfg(feature = "lang-python")]
mod python;
#[cfg(feature = "lang-ruby")]
mod ruby;
#[cfg(feature = "lang-rust")]
mod rust;
#[cfg(feature = "lang-scala")]
mod scala;
#[cfg(feature = "lang-swift")]
mod swift;

/// What a node is for the structure of the code around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing beyond its flags.
    #[default]
    Plain,
    /// A function or method; without a body it is a plain declaration.
    Function,
    /// A function without a name of its own.
    Lambda,
    /// A class, struct, trait, interface, implementation block.
    Class,
    /// A declaration of fields; one field, and one more per comma.
    Fields,
    /// `if`, with its branches in fields or behind an `else` token.
    If,
    /// `else` as a node of its own.
    Else,
    /// `elif`, `elsif` as a node of its own.
    ElseIf,
    /// A conditional of the preprocessor: an `if` inside of functions, nothing outside.
    PreprocessorIf,
    /// `#elif`.
    PreprocessorElseIf,
    /// `#else`.
    PreprocessorElse,
    /// A loop; the body is in a field.
    Loop,
    /// `switch`, `match`, `select`.
    Switch,
    /// The arms of a `match` that is exhaustive: the last one is no decision.
    Arms,
    /// One of them.
    Arm,
    /// A condition behind the pattern of an arm.
    Guard,
    /// `catch`, `except`.
    Catch,
    /// `a ? b : c`.
    Ternary,
    /// A binary expression, perhaps a logical one.
    Binary,
    /// Parentheses.
    Group,
    /// The unparsed inside of a macro call: its tokens count as they stand.
    Tokens,
    /// `break`, `continue`: with a label or number they jump.
    Jump,
    /// `goto`.
    Goto,
    /// `let ... else`.
    LetElse,
    /// What binds a name to a value: the name of a lambda.
    Binding,
    /// An import.
    Import,
    /// A literal that is one token unless something is interpolated.
    Text,
    /// A statement that may be a documentation string.
    Documentation,
    /// A block whose bounds are layout alone.
    Layout,
    /// A piece that the parser could not place.
    Damage,
}

/// What a node counts for; flags may be joined.
pub(crate) mod flag {
    /// +1 in cyclomatic complexity.
    pub(crate) const DECISION: u32 = 1;
    /// A logical line.
    pub(crate) const STATEMENT: u32 = 1 << 1;
    /// A place where the function ends.
    pub(crate) const EXIT: u32 = 1 << 2;
    /// One token, whatever the grammar makes of its inside.
    pub(crate) const ATOM: u32 = 1 << 3;
    pub(crate) const COMMENT: u32 = 1 << 4;
    /// A leaf that Halstead's measures take for an operator.
    pub(crate) const OPERATOR: u32 = 1 << 5;
    /// A leaf that they leave out, as it closes what another opened.
    pub(crate) const CLOSES: u32 = 1 << 6;
    /// A logical operator.
    pub(crate) const AND: u32 = 1 << 7;
    pub(crate) const OR: u32 = 1 << 8;
    /// The `else` of a grammar that has no node for it.
    pub(crate) const ELSE: u32 = 1 << 9;
    /// A name that may be called.
    pub(crate) const NAME: u32 = 1 << 10;
    /// `this`, `self`.
    pub(crate) const SELF: u32 = 1 << 11;
    /// `.`, `->`, `::` between an object and its member.
    pub(crate) const MEMBER: u32 = 1 << 12;
    /// A named node.
    pub(crate) const NAMED: u32 = 1 << 13;
    /// No token at all: the end of a line in grammars that see it.
    pub(crate) const LAYOUT: u32 = 1 << 14;
    /// Not a parameter, although it stands among them.
    pub(crate) const NO_PARAMETER: u32 = 1 << 15;
    /// A field of the class around it.
    pub(crate) const FIELD: u32 = 1 << 16;
    /// The label or number that makes a `break` a jump.
    pub(crate) const LABEL: u32 = 1 << 17;
    /// A list of parameters, where the grammar has no field for it.
    pub(crate) const PARAMETERS: u32 = 1 << 18;
    /// A parameter, where the grammar has no list.
    pub(crate) const PARAMETER: u32 = 1 << 19;
    /// What stands in a structure as its body, where the grammar has no field for it; on a lambda: its
    /// statements stand in it directly; on an `else`: an `if` in it is a statement of its own.
    pub(crate) const BODY: u32 = 1 << 20;
    /// The token behind which the body of a structure begins, where no field says it.
    pub(crate) const THEN: u32 = 1 << 21;
    /// The word of a condition or loop, for the inside of macro calls.
    pub(crate) const BRANCH: u32 = 1 << 23;
    /// The word of a jump.
    pub(crate) const JUMP: u32 = 1 << 22;
}

/// What a node of one kind means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) role: Role,
    pub(crate) flags: u32,
}

impl Kind {
    pub(crate) fn is(self, flags: u32) -> bool {
        self.flags & flags != 0
    }
}

/// A row of a table: the name of a named node, and its meaning.
pub(crate) type Row = (&'static str, Role, u32);

/// How a language is written down.
pub(crate) struct Description {
    /// Named nodes.
    pub(crate) named: &'static [Row],
    /// Tokens: keywords, operators, punctuation.
    pub(crate) tokens: &'static [Row],
    /// The fields whose content is one level deeper in `if`, loops and their like.
    pub(crate) nested_fields: &'static [&'static str],
    /// How languages differ beyond their nodes.
    pub(crate) habits: Habits,
}

/// How languages differ beyond their nodes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habits {
    /// `f()` may be a method of the class around it.
    pub(crate) implicit_this: bool,
    /// Functions of one name may differ in the number of their parameters.
    pub(crate) overloads: bool,
    /// A function that only declares is a stand-in for a class (white paper, compensating usages).
    pub(crate) module_functions: bool,
    /// A lambda is an expression of the function around it, and no function of its own.
    pub(crate) expression_lambdas: bool,
    /// A function of a function and a `return` is a decorator (white paper, compensating usages).
    pub(crate) decorators: bool,
}

/// A language's table, ready for use.
pub(crate) struct Syntax {
    kinds: Vec<Kind>,
    /// Hashes of the names, which for tokens are their texts.
    hashes: Vec<u64>,
    /// Everything that some kind is.
    pub(crate) flags: Kind,
    /// By field id.
    nested_fields: Vec<bool>,
    pub(crate) habits: Habits,
    pub(crate) field: Fields,
}

/// Ids of the fields that are asked for; 0 where the grammar has it not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) name: u16,
    pub(crate) body: u16,
    pub(crate) parameters: u16,
    pub(crate) parameter: u16,
    pub(crate) declarator: u16,
    pub(crate) receiver: u16,
    pub(crate) left: u16,
    pub(crate) key: u16,
    pub(crate) property: u16,
    pub(crate) pattern: u16,
    pub(crate) kind: u16,
    pub(crate) condition: u16,
    pub(crate) alternative: u16,
}

const DAMAGE: Kind = Kind { role: Role::Damage, flags: flag::NAMED };

impl Syntax {
    /// The table of a language; `None` where this build has no grammar for it.
    pub(crate) fn of(language: Language) -> Option<&'static Syntax> {
        static TABLES: [OnceLock<Option<Syntax>>; 16] = [const { OnceLock::new() }; 16];
        TABLES.get(language as usize)?.get_or_init(|| Syntax::build(language)).as_ref()
    }

    fn build(language: Language) -> Option<Syntax> {
        let grammar = language.grammar()?;
        let description = description(language)?;
        let rows = |rows: &[Row]| -> HashMap<&'static str, Kind> {
            rows.iter().map(|&(name, role, flags)| (name, Kind { role, flags })).collect()
        };
        let (named, tokens) = (rows(description.named), rows(description.tokens));
        let mut kinds = vec![Kind::default(); grammar.node_kind_count()];
        let mut hashes = vec![0; kinds.len()];
        for (id, kind) in kinds.iter_mut().enumerate() {
            let id = u16::try_from(id).ok()?;
            let Some(name) = grammar.node_kind_for_id(id) else { continue };
            hashes[usize::from(id)] = hash(name.as_bytes());
            *kind = if grammar.node_kind_is_named(id) {
                let mut kind = named.get(name).copied().unwrap_or_default();
                kind.flags |= flag::NAMED;
                kind
            } else {
                let mut kind = tokens.get(name).copied().unwrap_or_default();
                kind.flags |= flag::ATOM
                    | match name {
                        ")" | "]" | "}" => flag::CLOSES,
                        "." | "->" | "::" | "?." | "&." => flag::OPERATOR | flag::MEMBER,
                        "&&" | "and" => flag::OPERATOR | flag::AND,
                        "||" | "or" => flag::OPERATOR | flag::OR,
                        "break" | "continue" => flag::OPERATOR | flag::JUMP,
                        _ if name.trim().is_empty() => flag::LAYOUT,
                        _ => flag::OPERATOR,
                    };
                kind
            };
        }
        let flags = Kind { role: Role::Plain, flags: kinds.iter().fold(0, |all, kind| all | kind.flags) };
        let mut nested_fields = vec![false; grammar.field_count() + 1];
        let field = |name: &str| grammar.field_id_for_name(name).map_or(0, |id| id.get());
        for name in description.nested_fields {
            if let Some(nested) = nested_fields.get_mut(usize::from(field(name))) {
                *nested = true;
            }
        }
        Some(Syntax {
            kinds,
            hashes,
            flags,
            nested_fields,
            habits: description.habits,
            field: Fields {
                name: field("name"),
                body: field("body"),
                parameters: field("parameters"),
                parameter: field("parameter"),
                declarator: field("declarator"),
                receiver: field("receiver"),
                left: field("left"),
                key: field("key"),
                property: field("property"),
                pattern: field("pattern"),
                kind: field("type"),
                condition: field("condition"),
                alternative: field("alternative"),
            },
        })
    }

    /// What a node of this kind means.
    pub(crate) fn kind(&self, id: u16) -> Kind {
        self.kinds.get(usize::from(id)).copied().unwrap_or(DAMAGE)
    }

    /// The hash of this kind's name.
    pub(crate) fn hash(&self, id: u16) -> u64 {
        self.hashes.get(usize::from(id)).copied().unwrap_or(0)
    }

    /// How many kinds of node there are.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether what stands in this field of a structure is one level deeper.
    pub(crate) fn nests(&self, field: Option<std::num::NonZeroU16>) -> bool {
        field.is_some_and(|field| self.nested_fields.get(usize::from(field.get())) == Some(&true))
    }
}

/// The child in this field, where the grammar has the field and the node the child.
pub(crate) fn child<'tree>(node: Node<'tree>, field: u16) -> Option<Node<'tree>> {
    if field == 0 { None } else { node.child_by_field_id(field) }
}

fn description(language: Language) -> Option<&'static Description> {
    match language {
        #[cfg(feature = "lang-python")]
        Language::Python => Some(&python::PYTHON),
        #[cfg(feature = "lang-javascript")]
        Language::JavaScript => Some(&javascript::JAVASCRIPT),
        #[cfg(feature = "lang-typescript")]
        Language::TypeScript | Language::Tsx => Some(&javascript::JAVASCRIPT),
        #[cfg(feature = "lang-java")]
        Language::Java => Some(&java::JAVA),
        #[cfg(feature = "lang-go")]
        Language::Go => Some(&go::GO),
        #[cfg(feature = "lang-rust")]
        Language::Rust => Some(&rust::RUST),
        #[cfg(feature = "lang-c")]
        Language::C => Some(&c::C),
        #[cfg(feature = "lang-bash")]
        Language::Bash => Some(&bash::BASH),
        #[cfg(feature = "lang-cpp")]
        Language::Cpp => Some(&cpp::CPP),
        #[cfg(feature = "lang-csharp")]
        Language::CSharp => Some(&csharp::CSHARP),
        #[cfg(feature = "lang-kotlin")]
        Language::Kotlin => Some(&kotlin::KOTLIN),
        #[cfg(feature = "lang-php")]
        Language::Php => Some(&php::PHP),
        #[cfg(feature = "lang-ruby")]
        Language::Ruby => Some(&ruby::RUBY),
        #[cfg(feature = "lang-scala")]
        Language::Scala => Some(&scala::SCALA),
        #[cfg(feature = "lang-swift")]
        Language::Swift => Some(&swift::SWIFT),
        #[allow(unreachable_patterns, reason = "with every language built in, nothing is left")]
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_name_only_nodes_that_the_grammar_has() {
        let mut unknown = Vec::new();
        for language in Language::all() {
            let (Some(grammar), Some(description)) = (language.grammar(), description(language)) else {
                continue;
            };
            // JavaScript's table also holds what TypeScript adds.
            let others: Vec<tree_sitter::Language> = match language {
                Language::JavaScript => [Language::TypeScript].iter().filter_map(|l| l.grammar()).collect(),
                _ => Vec::new(),
            };
            for (rows, named) in [(description.named, true), (description.tokens, false)] {
                for (name, ..) in rows {
                    let known = |grammar: &tree_sitter::Language| grammar.id_for_node_kind(name, named) != 0;
                    let optional = matches!(language, Language::TypeScript | Language::Tsx);
                    if !known(&grammar) && !others.iter().any(known) && !optional {
                        unknown.push(format!("{}: {name}", language.name()));
                    }
                }
            }
        }
        assert!(unknown.is_empty(), "{unknown:#?}");
    }

    #[test]
    fn every_language_that_is_built_in_has_a_table() {
        for language in Language::all().filter(|language| language.grammar().is_some()) {
            assert!(Syntax::of(language).is_some(), "{}", language.name());
        }
    }
}
