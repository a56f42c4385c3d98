//! Text to syntax tree, within limits.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{ParseOptions, Parser, Tree};

use super::language::Language;
use crate::base::cancel::CancelToken;
use crate::error::{Error, Result};

/// How long one file may take; real code of a megabyte takes about 100 ms.
const LONGEST: Duration = Duration::from_secs(30);

/// A file's text and its syntax tree; a tree is there however damaged the text is.
pub struct Parsed<'a> {
    /// The language that it was read as.
    pub language: Language,
    /// The text; not always UTF-8.
    pub text: &'a [u8],
    /// The syntax tree.
    pub tree: Tree,
}

/// Parses many files of any language on one thread.
#[derive(Default)]
pub struct Reader {
    parser: Option<(Language, Parser)>,
}

impl Reader {
    /// Parses `text`.
    ///
    /// Errors: `language.not_built_in`, `code.too_slow` past 30 s, `call.cancelled`.
    pub fn parse<'a>(
        &mut self,
        language: Language,
        text: &'a [u8],
        cancel: &CancelToken,
    ) -> Result<Parsed<'a>> {
        let parser = match &mut self.parser {
            Some((known, parser)) if *known == language => parser,
            other => {
                let grammar = language.grammar().ok_or_else(|| not_built_in(language))?;
                let mut parser = other.take().map_or_else(Parser::new, |(_, parser)| parser);
                parser.set_language(&grammar).map_err(|error| not_built_in(language).because(&error))?;
                &mut other.insert((language, parser)).1
            }
        };
        let start = Instant::now();
        let mut progress = |_: &tree_sitter::ParseState| {
            if cancel.is_cancelled() || start.elapsed() > LONGEST {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let options = ParseOptions::new().progress_callback(&mut progress);
        let mut read = |at: usize, _: tree_sitter::Point| text.get(at..).unwrap_or_default();
        let tree = parser.parse_with_options(&mut read, None, Some(options));
        match tree {
            Some(tree) => Ok(Parsed { language, text, tree }),
            None => {
                // Else the next text would go on in the middle of this one.
                parser.reset();
                cancel.check()?;
                Err(Error::new(
                    "code.too_slow",
                    format!("the text took longer than {} s to parse; leave the file out", LONGEST.as_secs()),
                ))
            }
        }
    }
}

/// The error for a language whose grammar this build has not.
pub fn not_built_in(language: Language) -> Error {
    Error::new(
        "language.not_built_in",
        format!(
            "this build reads no {}; build the crate with the feature `lang-{}`",
            language.title(),
            language.name()
        ),
    )
}
