//! A page of text: wrapped paragraphs, headings and tables, at the width of whoever reads it.

use std::fmt::Write as _;

use clap::builder::styling::{AnsiColor, Style};

use crate::duration;

/// Width of paragraphs where no terminal says otherwise.
const PLAIN: usize = 100;

/// What is dimmed on a terminal.
pub(crate) const DIM: Style = Style::new().dimmed();
/// What is bold on a terminal.
pub(crate) const BOLD: Style = Style::new().bold();

/// How a table's column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// To the left.
    Left,
    /// To the right, as numbers are.
    Right,
}

/// Text that grows line by line.
#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    width: Option<usize>,
    /// Milliseconds since the Unix epoch.
    now: i64,
}

impl Page {
    /// An empty page; `width` in columns where a terminal reads it.
    pub(crate) fn new(width: Option<usize>) -> Page {
        let now = jiff::Timestamp::now().as_millisecond();
        Page { text: String::new(), width: width.map(|width| width.max(40)), now }
    }

    /// The page as it is written at a fixed time, RFC 3339.
    pub(crate) fn at(self, time: Option<&str>) -> Page {
        Page { now: time.and_then(milliseconds).unwrap_or(self.now), ..self }
    }

    /// How long ago an RFC 3339 time was.
    pub(crate) fn age(&self, time: &str) -> String {
        milliseconds(time).map_or_else(|| "?".to_owned(), |time| span(self.now - time))
    }

    /// When an RFC 3339 time comes.
    pub(crate) fn until(&self, time: &str) -> String {
        match milliseconds(time).map(|time| time - self.now) {
            Some(left) if left > 0 => format!("in {}", span(left)),
            Some(over) => format!("{} ago", span(-over)),
            None => "?".to_owned(),
        }
    }

    /// The whole text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// An empty line and a heading.
    pub(crate) fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let bold = AnsiColor::Cyan.on_default().bold();
        self.line(&format!("{bold}{text}{bold:#}"));
    }

    /// `first` and then `text`, wrapped, every further line under the first word of `text`.
    pub(crate) fn paragraph(&mut self, first: &str, text: &str) {
        let limit = self.width.unwrap_or(PLAIN).min(PLAIN);
        let indent = columns(first);
        let mut line = first.to_owned();
        let mut used = indent;
        for word in text.split_whitespace() {
            let wide = columns(word);
            if used > indent && used + 1 + wide > limit {
                self.line(&line);
                line = " ".repeat(indent);
                used = indent;
            }
            if used > indent {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += wide;
        }
        self.line(&line);
    }

    /// Rows in aligned columns, two spaces in. On a terminal the widest left-aligned column
    /// gives way; elsewhere nothing is cut.
    pub(crate) fn table(&mut self, header: &[&str], align: &[Align], rows: &[Vec<String>]) {
        let count = align.len();
        let mut widths = vec![0; count];
        let titles: Vec<String> = header.iter().map(|&title| title.to_owned()).collect();
        for row in rows.iter().chain([&titles]) {
            for (at, cell) in row.iter().enumerate().take(count) {
                widths[at] = widths[at].max(columns(cell));
            }
        }
        if let Some(limit) = self.width {
            let whole: usize = widths.iter().map(|width| width + 2).sum();
            let widest = (0..count).filter(|&at| align[at] == Align::Left).max_by_key(|&at| widths[at]);
            if let (Some(at), true) = (widest, whole > limit) {
                widths[at] = widths[at].saturating_sub(whole - limit).max(8);
            }
        }
        if !header.is_empty() {
            let line = row_line(&titles, &widths, align);
            self.line(&format!("{DIM}{line}{DIM:#}"));
        }
        for row in rows {
            let line = row_line(row, &widths, align);
            self.line(&line);
        }
    }
}

fn milliseconds(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond())
}

fn span(ms: i64) -> String {
    // Clocks of two machines differ, and nothing was made in the future.
    duration::read(u64::try_from(ms).unwrap_or(0))
}

/// How long it took from one RFC 3339 time to another.
pub(crate) fn between(from: &str, to: &str) -> String {
    match (milliseconds(from), milliseconds(to)) {
        (Some(from), Some(to)) => span(to - from),
        _ => "?".to_owned(),
    }
}

fn row_line(row: &[String], widths: &[usize], align: &[Align]) -> String {
    let mut line = String::new();
    for (at, cell) in row.iter().enumerate().take(widths.len()) {
        let cell = shortened(cell, widths[at]);
        let space = " ".repeat(widths[at].saturating_sub(columns(&cell)));
        let _ = match align[at] {
            Align::Left => write!(line, "  {cell}{space}"),
            Align::Right => write!(line, "  {space}{cell}"),
        };
    }
    line.trim_end().to_owned()
}

/// How many columns `text` takes on a terminal; styles take none.
pub(crate) fn columns(text: &str) -> usize {
    console::measure_text_width(text)
}

/// `text` in at most `width` columns: the middle gives way, as the ends of a path tell most.
fn shortened(text: &str, width: usize) -> String {
    if columns(text) <= width || text.contains('\u{1b}') {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let keep = width.saturating_sub(1);
    let head = keep / 3;
    let start: String = letters[..head.min(letters.len())].iter().collect();
    let end: String = letters[letters.len().saturating_sub(keep - head)..].iter().collect();
    format!("{start}…{end}")
}

/// `text` in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// `text` without what could drive a terminal: it comes out of a repository that others wrote.
pub(crate) fn safe(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// A whole number with its thousands apart.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number as short as three significant digits allow: 1,204, 12.3, 0.0042.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    let text = if !value.is_finite() || value == 0.0 {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    } else if (1000.0..1e15).contains(&size) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just above")]
        let whole = thousands(size.round() as u64);
        return if value < 0.0 { format!("-{whole}") } else { whole };
    } else if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else if size >= 1e-4 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4")]
        let zeros = (-size.log10()).floor() as usize;
        format!("{value:.*}", zeros + 3)
    } else {
        return format!("{value:.2e}");
    };
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A share from 0 to 1 in percent, `<1` and `>99` where rounding would lie.
pub(crate) fn percent(share: f64) -> String {
    let hundred = share * 100.0;
    if hundred > 0.0 && hundred < 1.0 {
        "<1 %".to_owned()
    } else if hundred > 99.0 && hundred < 100.0 {
        ">99 %".to_owned()
    } else {
        format!("{hundred:.0} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_honest() {
        for (value, text) in [
            (0.0, "0"),
            (3.0, "3"),
            (12.34, "12.3"),
            (340.4, "340"),
            (1204.0, "1,204"),
            (-1_234_567.0, "-1,234,567"),
            (0.0042, "0.0042"),
            (0.5, "0.5"),
            (0.000_001, "1.00e-6"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
        assert_eq!(
            (percent(0.312), percent(0.001), percent(0.998), percent(0.0)),
            ("31 %".into(), "<1 %".into(), ">99 %".into(), "0 %".into())
        );
    }

    #[test]
    fn tables_give_way_on_a_terminal_only() {
        let rows = vec![vec![
            "a/very/long/path/that/goes/on/and/on/for/ever/and/a/day.rs".to_owned(),
            "5".to_owned(),
        ]];
        let align = [Align::Left, Align::Right];
        let mut page = Page::new(Some(40));
        page.table(&[], &align, &rows);
        let text = page.into_text();
        assert!(text.lines().all(|line| columns(line) <= 40), "{text}");
        assert!(text.contains('…') && text.contains("day.rs"), "{text}");
        let mut page = Page::new(None);
        page.table(&[], &align, &rows);
        assert!(page.into_text().contains(&rows[0][0]));
    }

    #[test]
    fn paragraphs_hang_under_their_first_word() {
        let mut page = Page::new(Some(40));
        page.paragraph("  note  ", "one two three four five six seven eight nine ten");
        assert_eq!(page.into_text(), "  note  one two three four five six\n        seven eight nine ten\n");
    }

    #[test]
    fn what_others_wrote_cannot_drive_the_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }
}
