//! Headers: C and C++ share an ending.

use crate::code::language::Language;

/// The language of a header; where its text has nothing that only one of them has, its neighbours decide.
///
/// `None` for Objective-C.
pub(super) fn language(text: &[u8], among_cpp: bool) -> Option<Language> {
    let mut in_comment = false;
    // How many conditions deep we are inside one that only C++ compilers see.
    let mut guarded = 0usize;
    for line in text.split(|byte| *byte == b'\n') {
        let mut line = line.trim_ascii();
        if in_comment {
            let Some(end) = find(line, b"*/") else { continue };
            in_comment = false;
            line = line[end + 2..].trim_ascii_start();
        }
        if let Some(start) = find(line, b"/*") {
            in_comment = find(&line[start..], b"*/").is_none();
            line = line[..start].trim_ascii_end();
        }
        if let Some(start) = find(line, b"//") {
            line = line[..start].trim_ascii_end();
        }
        if let Some(directive) = line.strip_prefix(b"#") {
            let directive = directive.trim_ascii_start();
            let opens = directive.starts_with(b"if");
            if guarded > 0 {
                guarded += usize::from(opens);
                let ends = directive.starts_with(b"endif") || (guarded == 1 && directive.starts_with(b"el"));
                guarded -= usize::from(ends);
            } else if opens && !directive.starts_with(b"ifndef") && find(directive, b"__cplusplus").is_some()
            {
                guarded = 1;
            } else if directive.starts_with(b"import") {
                return None;
            }
            continue;
        }
        if guarded > 0 || line.is_empty() {
            continue;
        }
        if line.starts_with(b"@interface") || line.starts_with(b"@protocol") {
            return None;
        }
        if is_cpp(line) {
            return Some(Language::Cpp);
        }
    }
    Some(if among_cpp { Language::Cpp } else { Language::C })
}

/// Whether a line of code is one that no C compiler takes.
fn is_cpp(line: &[u8]) -> bool {
    let word =
        |line: &[u8]| line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if let Some(rest) = line.strip_prefix(b"class ") {
        let rest = rest.trim_ascii_start();
        let after = rest[word(rest)..].trim_ascii_start();
        return word(rest) > 0 && (after.is_empty() || b";:{".contains(&after[0]) || word(after) > 0);
    }
    if let Some(rest) = line.strip_prefix(b"namespace") {
        let rest = rest.trim_ascii_start();
        return rest.is_empty() || rest.starts_with(b"{") || rest.ends_with(b"{") || word(rest) == rest.len();
    }
    const STARTS: [&[u8]; 7] = [
        b"template<",
        b"template <",
        b"using namespace ",
        b"public:",
        b"private:",
        b"protected:",
        b"friend class ",
    ];
    STARTS.iter().any(|start| line.starts_with(start)) || find(line, b"std::").is_some()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_of_the_language_that_its_text_needs() {
        for (text, among, expected) in [
            ("int f(void);\n", false, Some(Language::C)),
            ("int f(void);\n", true, Some(Language::Cpp)),
            ("class Window {\n", false, Some(Language::Cpp)),
            ("/* a\n class of\n std::vector */\nint f(void);\n", false, Some(Language::C)),
            ("// std::vector\nstruct class_of { int a; };\n", false, Some(Language::C)),
            (
                "#ifdef __cplusplus\nextern \"C\" {\nnamespace a {\n#if 1\nclass B;\n#endif\n#endif\nint f(void);\n",
                false,
                Some(Language::C),
            ),
            ("namespace tides::inner {\n", false, Some(Language::Cpp)),
            ("template <typename T>\n", false, Some(Language::Cpp)),
            ("#import <Foundation/Foundation.h>\n", false, None),
            ("@interface Window : NSObject\n", true, None),
        ] {
            assert_eq!(language(text.as_bytes(), among), expected, "{text}");
        }
    }
}
