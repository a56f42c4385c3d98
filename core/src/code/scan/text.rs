//! One text that is not on disk, for editors: read at once, kept nowhere.

use std::path::Path;

use super::analyse::parse;
use super::recognise::{Around, ByName, by_name};
use super::{Analysed, Analysis, Outcome, Request, SourceFile, walk};
use crate::base::cancel::CancelToken;
use crate::base::shared::Shared;
use crate::code::parse::Reader;
use crate::error::{Error, Result};

/// Analyses `text` as if it were in the one file that the request names.
///
/// Errors: `args.invalid`, `language.unknown`, `language.not_built_in`, `code.too_slow`,
/// `call.cancelled`, those of the analysis.
pub(super) fn analyse_text<A: Analysis>(
    request: &mut Request<'_>,
    text: &str,
    analysis: &A,
    cancel: &CancelToken,
) -> Result<Analysed<A::Out>> {
    let [path] = request.paths else {
        return Err(Error::new(
            "args.invalid",
            format!("`text` needs one path, which names its language; {} were given", request.paths.len()),
        ));
    };
    let place = std::path::absolute(request.from.join(Path::new(path)))
        .unwrap_or_else(|_| request.from.join(Path::new(path)));
    let shown = walk::shown(request.top, &place);
    let file_name = shown.rsplit('/').next().unwrap_or_default();
    let facts = match (&mut request.outside, place.strip_prefix(request.top)) {
        (Some(outside), Ok(inside)) => outside.facts(&walk::bytes_of(inside)),
        _ => super::FileFacts::default(),
    };
    let name = by_name(file_name.as_ref());
    let among_cpp = name == ByName::Header && walk::is_among_cpp(&place);
    let content = Around { file_name, name, among_cpp, facts: &facts }.content(text.as_bytes());
    let Some(language) = content.language else {
        return Err(Error::new(
            "language.unknown",
            format!("the language of `{path}` cannot be told from its name; name it as a file of its language is named"),
        )
        .with("path", path));
    };
    let file = SourceFile { path: shown, language, bytes: text.len() as u64, generated: content.generated };
    let mut result =
        parse(&mut Reader::default(), text.as_bytes(), (language, content.notebook), analysis, cancel)?;
    analysis.place(&mut result, &file);
    let files = vec![Outcome { file: Shared::new(file), result: Shared::new(result) }];
    Ok(Analysed { files, skipped: Vec::new(), unknown: 0 })
}
