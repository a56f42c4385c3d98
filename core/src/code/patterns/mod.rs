//! Patterns: places in code that deserve a second look, found by tree-sitter queries and by measures.
//!
//! A rule is data: a `.scm` file with a header of comments (`id`, `severity`, `reason`, `action`,
//! and where it holds) and a query that captures the place as `@finding`. The rules of a language are
//! joined into one query, so a file is searched once however many rules there are. What a query
//! cannot say is said by predicates ([`predicate`]); what only a measure can say is in [`measured`].

mod answer;
mod builtin;
mod columns;
mod comment;
mod locals;
mod measured;
mod place;
mod predicate;
pub mod record;
mod rule;
mod rules;
mod search;
mod secret;
#[cfg(test)]
mod tests;

pub use answer::{Patterns, Wanted, answer, describe};
pub use rules::Rules;
