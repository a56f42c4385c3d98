//! Secrets in text: known shapes, likely values, and how they are masked.

use std::sync::LazyLock;

use regex::bytes::Regex;

fn regex(text: &str) -> Regex {
    Regex::new(text).unwrap_or_else(|error| unreachable!("{error}"))
}

/// Keys whose issuers gave them a shape of their own.
static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{40,}\b|\bglpat-[A-Za-z0-9_-]{20,}",
        r"|\bxox[abprs]-[0-9A-Za-z-]{20,}|\bhooks\.slack\.com/services/T\w+/B\w+/\w{20,}",
        r"|\b[sr]k_live_[0-9a-zA-Z]{24,}\b|\bSG\.[\w-]{20,}\.[\w-]{40,}|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[A-Za-z0-9_-]{60,}",
        r"|\bAIza[0-9A-Za-z_-]{35}\b|\bya29\.[0-9A-Za-z_-]{30,}",
        r"|-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?-----(?:\\n|\s)+[A-Za-z0-9+/]{20,}",
        r"|\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}",
    ))
});

/// Assignments whose value is masked wherever they are shown.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?i)((?:passw(?:or)?d|passwd|pwd|secret|token|api_?key|access_?key|private_?key|credential)\w*["']?\]?\s*(?::\s*[\w&' ]+)?(?::=|=>|[:=,])\s*[bru]?["'`])([^"'`]{4,})"#,
    )
});

/// Marks of values that stand for a secret and are none.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)example|sample|dummy|placeholder|change.?me|your|insert|replace|redacted|xxx|\*\*\*|\.\.\.|…|test|fake|mock|foo|bar|secret|passw|token|key|todo|none|null|undefined|default|invalid|unknown|1234|abcd|qwert|lorem|<|>|\$\{|\{\{|%s|%\(|\{\}|\{\w+\}",
    )
});

/// Whether the text holds a key of a known shape that is not its issuer's example.
pub(super) fn has_known_shape(text: &[u8]) -> bool {
    SHAPES.find(text).is_some_and(|found| {
        let found = found.as_bytes();
        let upper = found.to_ascii_uppercase();
        !["EXAMPLE", "XXXX", "0000000", "1234567"]
            .iter()
            .any(|mark| upper.windows(mark.len()).any(|part| part == mark.as_bytes()))
            && entropy(found) > 2.5
    })
}

/// Whether a literal, quotes included, looks like a password or a key: long, mixed, and neither a
/// name, a path, an address, a sentence nor a placeholder.
pub(super) fn is_likely_value(literal: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(literal) else { return false };
    let value = text.trim_start_matches(['b', 'r', 'u', 'f', 'R', 'B']).trim_matches(['"', '\'', '`']);
    if value.len() < 8 || value.len() > 512 || !value.is_ascii() || PLACEHOLDER.is_match(value.as_bytes()) {
        return false;
    }
    if value.chars().any(|letter| letter.is_whitespace() || "(){}[]\\,;:|".contains(letter)) {
        return false;
    }
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let letters = value.chars().filter(char::is_ascii_alphabetic).count();
    if letters == 0 || digits == 0 {
        return false;
    }
    let is_ending =
        |ending: &str| (2..=4).contains(&ending.len()) && ending.chars().all(|c| c.is_ascii_alphabetic());
    if value.starts_with(['/', '~', '.'])
        || value.rsplit_once('.').is_some_and(|(_, ending)| is_ending(ending))
    {
        return false;
    }
    // Words joined by `-`, `_`, `.` or `/` are a name, a path or a version.
    let parts: Vec<&str> = value.split(['-', '_', '.', '/']).collect();
    let is_word = |part: &&str| {
        part.chars().all(|letter| letter.is_ascii_alphabetic())
            || part.trim_start_matches(['v', 'V']).chars().all(|letter| letter.is_ascii_digit())
    };
    if parts.len() > 1 && parts.iter().all(is_word) {
        return false;
    }
    // A word and a number behind it (`password1` aside) is an identifier.
    let bare = value.trim_end_matches(|c: char| c.is_ascii_digit());
    if bare.chars().all(|c| c.is_ascii_alphabetic()) && value.len() - bare.len() < 4 && bare.len() < 24 {
        return false;
    }
    entropy(value.as_bytes()) >= if value.len() >= 20 { 3.2 } else { 2.8 }
}

/// Shannon's entropy in bits per byte.
fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    #[allow(clippy::cast_precision_loss, reason = "literals are short")]
    let all = text.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / all)
        .map(|share| -share * libm::log2(share))
        .sum()
}

/// The text with whatever looks like a secret blotted out; of a key of known shape the first four letters stay.
pub(super) fn masked(text: &str) -> String {
    let known = SHAPES.replace_all(text.as_bytes(), |found: &regex::bytes::Captures<'_>| {
        let whole = &found[0];
        [whole.get(..4).unwrap_or_default(), b"****"].concat()
    });
    let named =
        NAMED.replace_all(&known, |found: &regex::bytes::Captures<'_>| match is_likely_value(&found[2]) {
            true => [&found[1], b"****"].concat(),
            false => found[0].to_vec(),
        });
    String::from_utf8_lossy(&named).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_from_names() {
        for value in ["\"hK92mPq7Lz\"", "\"9f86d081884c7d659a2feaa0c55ad015\"", "\"Tr0ub4dor&3\""] {
            assert!(is_likely_value(value.as_bytes()), "{value}");
        }
        for value in [
            "\"access_token\"",
            "\"changeme123\"",
            "\"/etc/pki/tls/x509.pem\"",
            "\"${PASSWORD_1234}\"",
            "\"oauth2\"",
            "\"com.example.v1.Auth\"",
            "\"this is 1 sentence\"",
            "\"AES256\"",
            "\"hunter2\"",
        ] {
            assert!(!is_likely_value(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn known_shapes_are_masked() {
        let key = format!("AKIA{}", "QYLPMN5HFIQR7XYA");
        assert!(has_known_shape(key.as_bytes()));
        assert!(!has_known_shape(b"AKIAIOSFODNN7EXAMPLE"));
        assert_eq!(masked(&format!("key = \"{key}\"")), "key = \"AKIA****\"");
        assert_eq!(masked("password = \"hK92mPq7Lz\""), "password = \"****\"");
        assert_eq!(masked("password = \"prompt\""), "password = \"prompt\"");
    }
}
