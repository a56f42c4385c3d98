//! Complexity of a text in any language, by its indentation (Hindle, Godfrey, Holt: Reading beside
//! the lines, ICPC 2008; made known by Tornhill).

/// Deeper than this, white space aligns and does not nest.
const DEEPEST: u64 = 20;

/// Levels of indentation over all lines that are not blank, summed, and how many lines that are.
///
/// A tab is one level; so are as many spaces as most often come in from one line to the next, 4
/// where that cannot be told.
pub(super) fn measure(text: &[u8]) -> (u64, u64) {
    let unit = unit(text);
    let (mut levels, mut lines) = (0, 0);
    for (tabs, spaces) in indents(text) {
        lines += 1;
        levels += (tabs + spaces / unit).min(DEEPEST);
    }
    (levels, lines)
}

/// Tabs and spaces before the first letter of every line that is not blank.
fn indents(text: &[u8]) -> impl Iterator<Item = (u64, u64)> {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let start = line.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))?;
        let tabs = line[..start].iter().filter(|byte| **byte == b'\t').count();
        Some((tabs as u64, (start - tabs) as u64))
    })
}

fn unit(text: &[u8]) -> u64 {
    let mut steps = [0u64; 9];
    let mut before = 0;
    for (tabs, spaces) in indents(text) {
        if tabs == 0
            && spaces > before
            && let Some(step) = steps.get_mut((spaces - before) as usize)
        {
            *step += 1;
        }
        before = spaces;
    }
    let most = (2..steps.len()).max_by_key(|step| (steps[*step], *step));
    most.filter(|step| steps[*step] > 0).map_or(4, |step| step as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_text_itself() {
        assert_eq!(measure(b""), (0, 0));
        assert_eq!(measure(b"a\n\n  \n b\n"), (0, 2));
        assert_eq!(measure(b"a {\n\tb {\n\t\tc\r\n\t}\n}\n"), (4, 5));
        assert_eq!(measure(b"a {\n  b {\n    c\n  }\n}\n"), (4, 5));
        assert_eq!(measure(b"a {\n    b {\n        c\n    }\n}\n"), (4, 5));
        // Lines that are aligned far to the right nest no deeper than the limit.
        let text = format!("a {{\n  b\n  c\n}}\nd {{\n  e\n}}\n{}x\n", " ".repeat(90));
        assert_eq!(measure(text.as_bytes()), (3 + DEEPEST, 8));
    }
}
