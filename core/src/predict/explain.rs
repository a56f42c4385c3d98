//! Puts what a feature adds into words: what is so, how it compares, and what would help.

use super::FEATURES;

/// A feature's part of an answer, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The value's unit, for example `lines`.
    pub unit: &'static str,
    /// What it means, in one sentence.
    pub sentence: String,
    /// What would lower the risk; empty where the feature does not raise it.
    pub action: String,
}

/// A contribution below this (in log-odds) is not worth an action: it moves a probability of one
/// half by less than half a percent.
const NOTICEABLE: f64 = 0.02;

/// Explains feature `index` of the schema: its raw `value` (`None` where it cannot be known here),
/// its `percentile` (0 to 100) among this repository's earlier changes where that is known, and its
/// `contribution` in log-odds.
///
/// An index beyond the schema gives an empty explanation.
pub fn explain(index: usize, value: Option<f64>, percentile: Option<f64>, contribution: f64) -> Explanation {
    let Some(name) = FEATURES.get(index) else {
        return Explanation { unit: "", sentence: String::new(), action: String::new() };
    };
    let unit = unit(name);
    let Some(value) = value else {
        return Explanation { unit, sentence: format!("not known: {}", absent(name)), action: String::new() };
    };
    let mut sentence = fact(name, value);
    // A yes or no has no rank worth telling.
    if *name != "fix"
        && let Some(percentile) = percentile
    {
        sentence.push_str(", ");
        sentence.push_str(standing(percentile));
    }
    // What stands where it usually does calls for nothing: advice for every value is noise.
    let usual = *name != "fix" && percentile.is_some_and(|rank| rank > 25.0 && rank < 75.0);
    let action = if contribution >= NOTICEABLE && !usual { action(name, percentile) } else { "" };
    Explanation { unit, sentence, action: action.to_owned() }
}

fn unit(name: &str) -> &'static str {
    match name {
        "ns" => "subsystems",
        "nd" => "directories",
        "nf" => "files",
        "entropy" => "bits",
        "la" | "ld" => "lines",
        "lt" => "lines per file",
        "fix" => "yes or no",
        "ndev" => "authors",
        "age" => "days",
        "rexp" => "weighted commits",
        _ => "commits",
    }
}

/// Why a feature can be absent: experience needs an author, the rest needs history.
fn absent(name: &str) -> &'static str {
    match name {
        "exp" => "how much the author has worked here (no author, or no history)",
        "rexp" => "how much the author has worked here lately (no author, or no history)",
        "sexp" => "how well the author knows these subsystems (no author, or no history)",
        "ndev" => "how many people have worked on these files (no history)",
        "age" => "when these files were last changed (no history)",
        "nuc" => "how often these files were changed before (no history)",
        "fix" => "whether it is a fix (no message)",
        _ => "this could not be read from the change",
    }
}

fn fact(name: &str, value: f64) -> String {
    match name {
        "ns" => format!("touches {}", count(value, "subsystem", "subsystems")),
        "nd" => format!("touches {}", count(value, "directory", "directories")),
        "nf" => format!("touches {}", count(value, "file", "files")),
        "entropy" if value == 0.0 => "all changed lines are in one file".to_owned(),
        "entropy" => format!("the changed lines are spread over the files with {} bits", number(value)),
        "la" => format!("adds {}", count(value, "line", "lines")),
        "ld" => format!("deletes {}", count(value, "line", "lines")),
        "lt" if value == 0.0 => "the touched files are new or were empty".to_owned(),
        "lt" => format!("the touched files had {} lines each on average", number(value)),
        "fix" if value == 0.0 => "the message does not say that it is a fix".to_owned(),
        "fix" => "the message says that it is a fix".to_owned(),
        "ndev" if value == 0.0 => "nobody has worked on these files before".to_owned(),
        "ndev" => format!("{} worked on these files before", count(value, "author has", "authors have")),
        "age" if value == 0.0 => "the touched files are new or were changed just before".to_owned(),
        "age" => format!("the touched files were last changed {} days before, on average", number(value)),
        "nuc" if value == 0.0 => "no earlier commit touched these files".to_owned(),
        "nuc" => format!("{} touched these files before", count(value, "commit", "commits")),
        "exp" if value == 0.0 => "the author is new here".to_owned(),
        "exp" => format!("the author has made {} here before", count(value, "commit", "commits")),
        "rexp" if value == 0.0 => "the author has no recent commits here".to_owned(),
        "rexp" => {
            format!("the author's earlier commits, weighted by how recent they are, count {}", number(value))
        }
        "sexp" if value == 0.0 => "the author is new to these subsystems".to_owned(),
        _ => format!("the author has made {} in these subsystems before", count(value, "commit", "commits")),
    }
}

/// How a percentile reads; ranks of a value among earlier changes, not of a risk.
fn standing(percentile: f64) -> &'static str {
    match percentile {
        rank if rank >= 95.0 => "far more than usual here",
        rank if rank >= 75.0 => "more than usual here",
        rank if rank <= 5.0 => "as little as it gets here",
        rank if rank <= 25.0 => "less than usual here",
        _ => "about as usual here",
    }
}

/// What would lower the risk. Whether much or little of a feature raises it depends on the weights,
/// so the few features where both happen look at the rank.
fn action(name: &str, percentile: Option<f64>) -> &'static str {
    let low = percentile.is_some_and(|rank| rank < 50.0);
    match name {
        "ns" => "split it by subsystem, or ask an owner of each for review",
        "nd" => "split it by directory, or ask an owner of each for review",
        "nf" => "split it so that each part touches fewer files",
        "entropy" => "separate the wide mechanical edits from the change of behaviour",
        "la" => "split it into parts that can be reviewed one by one, and test the new lines",
        "ld" => "delete in a change of its own, so that the rest is easier to read",
        "lt" if low => "review it against its callers: new or small files have few tests yet",
        "lt" => "review the whole of the large files it touches, not only the changed lines",
        "fix" => "add a test that fails without the fix, and look for the same fault nearby",
        "ndev" => "agree it with the people who work on these files",
        "age" if low => "wait for the change before it to settle, or review the two together",
        "age" => "ask somebody who remembers this code for review",
        "nuc" => "test these files more than others: they change often",
        "exp" | "rexp" | "sexp" if low || percentile.is_none() => "ask an owner of these files for review",
        // Much experience raises the risk only where such authors take on the hard changes.
        _ => "have it reviewed like anybody's: experienced authors take on the risky changes",
    }
}

/// A whole number with its noun, for example `1 file` or `12 files`.
fn count(value: f64, one: &str, many: &str) -> String {
    let text = number(value);
    let noun = if text == "1" { one } else { many };
    format!("{text} {noun}")
}

/// Whole numbers without a point, small ones with two digits after it, others with one.
fn number(value: f64) -> String {
    if value == value.trunc() {
        format!("{value:.0}")
    } else if value.abs() < 10.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str) -> usize {
        FEATURES.iter().position(|known| *known == name).unwrap()
    }

    #[test]
    fn a_large_change_reads_like_one() {
        let large = explain(at("la"), Some(412.0), Some(96.0), 0.8);
        assert_eq!(large.unit, "lines");
        assert_eq!(large.sentence, "adds 412 lines, far more than usual here");
        assert!(large.action.starts_with("split it"));
        let usual = explain(at("la"), Some(20.0), Some(60.0), 0.4);
        assert_eq!(usual.sentence, "adds 20 lines, about as usual here");
        assert_eq!(usual.action, "");
        assert_eq!(explain(at("nf"), Some(1.0), None, 0.0).sentence, "touches 1 file");
        assert_eq!(
            explain(at("ndev"), Some(1.0), None, 0.0).sentence,
            "1 author has worked on these files before"
        );
        assert_eq!(explain(at("exp"), Some(0.0), None, 0.1).sentence, "the author is new here");
    }

    #[test]
    fn nothing_is_asked_where_nothing_is_raised() {
        for index in 0..FEATURES.len() {
            for contribution in [-1.0, 0.0] {
                assert_eq!(explain(index, Some(3.0), Some(50.0), contribution).action, "");
            }
            assert_ne!(explain(index, Some(3.0), Some(90.0), 1.0).action, "");
        }
    }

    #[test]
    fn what_is_absent_is_said_to_be() {
        for index in 0..FEATURES.len() {
            let explanation = explain(index, None, None, 0.0);
            assert!(explanation.sentence.starts_with("not known: "), "{}", explanation.sentence);
            assert!(!explanation.unit.is_empty());
            assert_eq!(explanation.action, "");
        }
        assert_eq!(explain(99, Some(1.0), None, 1.0).sentence, "");
    }

    #[test]
    fn numbers_are_short_and_have_a_point() {
        assert_eq!(number(412.0), "412");
        assert_eq!(number(1.459_147), "1.46");
        assert_eq!(number(1234.567), "1234.6");
    }
}
