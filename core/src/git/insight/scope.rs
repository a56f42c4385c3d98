//! What an answer counts: which paths, which times.

use gix::bstr::{BStr, ByteSlice};

use crate::base::clock::parse_rfc3339;
use crate::error::{Error, Result};

/// Which files are meant.
#[derive(Clone, Debug, Default)]
pub(in crate::git) struct Paths(Vec<Rule>);

#[derive(Clone, Debug)]
enum Rule {
    /// A file, or a folder with everything below it.
    Below(Vec<u8>),
    Pattern(gix::glob::Pattern),
}

impl Paths {
    /// Reads folders, files and patterns as in `.gitignore`.
    ///
    /// Errors: `args.invalid` for a text that is none of them.
    pub fn new(paths: &[String]) -> Result<Paths> {
        let rule = |text: &String| {
            let invalid = |why: &str| {
                Error::new(
                    "args.invalid",
                    format!(
                        "`paths` has `{text}`, {why}; name files, folders or patterns from the top of the repository"
                    ),
                )
            };
            let plain = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
            if plain == "." || (plain.is_empty() && !text.is_empty() && !text.starts_with('/')) {
                return Ok(Rule::Below(Vec::new()));
            }
            if plain.is_empty() || plain.starts_with('/') || plain.split('/').any(|part| part == "..") {
                return Err(invalid("which is no path inside the repository"));
            }
            if !plain.contains(['*', '?', '[']) {
                return Ok(Rule::Below(plain.as_bytes().to_vec()));
            }
            gix::glob::Pattern::from_bytes_without_negation(plain.as_bytes())
                .map(Rule::Pattern)
                .ok_or_else(|| invalid("which is no pattern"))
        };
        Ok(Paths(paths.iter().map(rule).collect::<Result<_>>()?))
    }

    /// Whether the file is meant; every file is where nothing was named.
    pub fn has(&self, path: &BStr) -> bool {
        self.0.is_empty() || self.0.iter().any(|rule| rule.has(path))
    }
}

impl Rule {
    fn has(&self, path: &BStr) -> bool {
        match self {
            Rule::Below(folder) => path
                .strip_prefix(folder.as_slice())
                .is_some_and(|rest| folder.is_empty() || rest.is_empty() || rest.starts_with(b"/")),
            Rule::Pattern(pattern) => {
                let name = path.rfind_byte(b'/').map(|slash| slash + 1);
                let mode = gix::glob::wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
                let case = gix::glob::pattern::Case::Sensitive;
                pattern.matches_repo_relative_path(path, name, Some(false), case, mode)
            }
        }
    }
}

/// A time of an argument, seconds since the Unix epoch.
///
/// Errors: `args.invalid` where it is neither RFC 3339 nor a date.
pub(in crate::git) fn seconds(name: &str, text: Option<&str>) -> Result<Option<i64>> {
    let Some(text) = text else { return Ok(None) };
    // A second that has begun counts whole: a bound of 0.5 s lets nothing of second 0 through.
    let read =
        |text: &str| parse_rfc3339(text).map(|ms| ms.div_euclid(1000) + i64::from(ms.rem_euclid(1000) > 0));
    let found = match text.len() {
        10 => read(&format!("{text}T00:00:00Z")),
        _ => read(text),
    };
    found.map(Some).ok_or_else(|| {
        Error::new(
            "args.invalid",
            format!("`{name}` is `{text}`; write RFC 3339, for example 2026-01-31T12:00:00Z, or a date"),
        )
    })
}

/// Checks a number of days.
///
/// Errors: `args.invalid` where it is not more than 0 or not finite.
pub(in crate::git) fn days(name: &str, value: f64) -> Result<f64> {
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(Error::new("args.invalid", format!("`{name}` is {value}; pass a number of days above 0")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(rules: &[&str], path: &str) -> bool {
        let rules: Vec<String> = rules.iter().map(|&rule| rule.to_owned()).collect();
        Paths::new(&rules).unwrap().has(path.into())
    }

    #[test]
    fn folders_files_and_patterns() {
        for (rules, path) in [
            (&[][..], "a/b.c"),
            (&["src"], "src/a.c"),
            (&["src/"], "src/x/a.c"),
            (&["./src/a.c"], "src/a.c"),
            (&["."], "a"),
            (&["*.c"], "x/y/a.c"),
            (&["src/*.c"], "src/a.c"),
            (&["src/**/*.c"], "src/x/y/a.c"),
            (&["doc", "src"], "src/a"),
            (&["[ab].txt"], "q/b.txt"),
        ] {
            assert!(has(rules, path), "{rules:?} {path}");
        }
        for (rules, path) in [
            (&["src"][..], "srcs/a.c"),
            (&["src/*.c"], "src/x/a.c"),
            (&["src/*.c"], "x/src/a.c"),
            (&["a"], "b/a"),
        ] {
            assert!(!has(rules, path), "{rules:?} {path}");
        }
        for bad in ["", "/", "/etc", "../x", "a/../b"] {
            assert_eq!(Paths::new(&[bad.to_owned()]).unwrap_err().code(), "args.invalid", "{bad}");
        }
    }

    #[test]
    fn times_and_dates() {
        assert_eq!(seconds("since", None).unwrap(), None);
        assert_eq!(seconds("since", Some("1970-01-02")).unwrap(), Some(86_400));
        assert_eq!(seconds("since", Some("1970-01-01T00:00:01.5Z")).unwrap(), Some(2));
        assert_eq!(seconds("until", Some("soon")).unwrap_err().code(), "args.invalid");
        assert!(
            days("half_life_days", 0.0).is_err() && days("x", f64::NAN).is_err() && days("x", 1.0).is_ok()
        );
    }
}
