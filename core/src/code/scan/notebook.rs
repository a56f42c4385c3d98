//! Jupyter notebooks: their code cells as one text.
//!
//! Jupyter writes each line of a cell on a line of its own. Such a line stands at the same line of
//! the text, with empty ones between the cells: every line number is one of the file, good for
//! blame, for annotations and for a reader. Where the notebook is written in another way (all on
//! one line, or a cell as one text) lines are counted over the code cells, with an empty one after
//! each cell.

use crate::code::language::Language;

/// Deeper than this no notebook is nested.
const DEEPEST: usize = 256;

/// Which lines of a notebook's text belong to which cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// The code cells, in order.
    pub cells: Vec<Cell>,
}

/// The place of one code cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its number among all cells of the notebook, from 1.
    pub number: u64,
    /// Its first line in the text, from 1.
    pub line: u64,
    /// Its last line in the text, from 1.
    pub end_line: u64,
}

impl Cells {
    /// The cell of a line of the text.
    #[allow(dead_code, reason = "for findings that name their cell")]
    pub fn at(&self, line: u64) -> Option<Cell> {
        let after = self.cells.partition_point(|cell| cell.line <= line);
        self.cells.get(after.checked_sub(1)?).copied().filter(|cell| line <= cell.end_line)
    }

    /// Lines of all code cells.
    pub fn lines(&self) -> u64 {
        self.cells.iter().map(|cell| cell.end_line + 1 - cell.line).sum()
    }
}

/// The language of the notebook's kernel.
pub(super) fn language(text: &[u8]) -> Option<Language> {
    Language::of_linguist(&read(text)?.language?)
}

/// The text of the code cells, and where each of them is in it; `None` where this is no notebook.
pub(super) fn code(text: &[u8]) -> Option<(Vec<u8>, Cells)> {
    let notebook = read(text)?;
    let is_python = notebook.language.as_deref().is_some_and(|name| name.starts_with("python"));
    let cells: Vec<Source> =
        notebook.cells.into_iter().filter(|cell| cell.is_code && !cell.parts.is_empty()).collect();
    let mut last = 0;
    let in_place = cells.iter().flat_map(|cell| &cell.parts).all(|(line, part)| {
        let is_one = part.find('\n').is_none_or(|end| end + 1 == part.len());
        is_one && *line > std::mem::replace(&mut last, *line)
    });
    let mut out = String::new();
    let mut line = 1;
    let mut places = Vec::with_capacity(cells.len());
    for cell in cells {
        let first = cell.parts.first().map_or(line, |(first, _)| *first);
        if in_place {
            out.extend(std::iter::repeat_n('\n', (first - line) as usize));
            line = first;
        }
        let joined: String = cell.parts.iter().map(|(_, part)| part.as_str()).collect();
        let start = line;
        let mut skipping = false;
        for (at, text) in joined.lines().enumerate() {
            let plain = if is_python { python(text, at == 0, &mut skipping) } else { Plain::Same };
            match plain {
                Plain::Same => out.push_str(text),
                Plain::Other(other) => out.push_str(&other),
            }
            out.push('\n');
            line += 1;
        }
        places.push(Cell { number: cell.number, line: start, end_line: (line - 1).max(start) });
        if !in_place {
            out.push('\n');
            line += 1;
        }
    }
    Some((out.into_bytes(), Cells { cells: places }))
}

/// A line of a cell as plain Python has it.
enum Plain {
    Same,
    Other(String),
}

/// Takes out what IPython understands and Python does not: `%magic`, `!command`, `name?`, and cells
/// in other languages.
fn python(line: &str, first: bool, skipping: &mut bool) -> Plain {
    if *skipping {
        return Plain::Other(String::new());
    }
    let trimmed = line.trim_start();
    let is_word = |text: &str| text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    if let Some(magic) = trimmed.strip_prefix("%%").filter(|_| first) {
        let name = magic.split_whitespace().next().unwrap_or_default();
        *skipping = !matches!(name, "time" | "timeit" | "capture" | "prun" | "python" | "python3");
        return Plain::Other(String::new());
    }
    let is_magic = trimmed.strip_prefix('%').is_some_and(is_word)
        || trimmed.starts_with('!')
        || trimmed.starts_with('?')
        || (trimmed.ends_with('?') && is_word(trimmed) && !trimmed.contains(['#', '"', '\'']));
    if is_magic {
        let space = &line[..line.len() - trimmed.len()];
        // The only statement of a block must stay one.
        return Plain::Other(if space.is_empty() { String::new() } else { format!("{space}pass") });
    }
    for mark in [" = !", " = %"] {
        if let Some((name, command)) = trimmed.split_once(mark)
            && (mark.ends_with('!') || is_word(command))
            && name.chars().all(|letter| letter.is_alphanumeric() || "_, .".contains(letter))
        {
            let space = &line[..line.len() - trimmed.len()];
            return Plain::Other(format!("{space}{name} = None"));
        }
    }
    Plain::Same
}

/// A cell as it stands in the file.
#[derive(Default)]
struct Source {
    number: u64,
    is_code: bool,
    /// The lines on which its texts stand, and the texts.
    parts: Vec<(u64, String)>,
}

#[derive(Default)]
struct Notebook {
    language: Option<String>,
    cells: Vec<Source>,
}

/// An object or a list around the place that is read.
struct Frame<'a> {
    /// The name of the member that is read; empty in a list.
    name: &'a [u8],
    is_list: bool,
    items: u64,
}

/// Reads what matters of a notebook, without building the rest of it: outputs hold pictures.
fn read(text: &[u8]) -> Option<Notebook> {
    let mut notebook = Notebook::default();
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut cell = Source::default();
    let mut line = 1;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\n' => line += 1,
            b'{' | b'[' => {
                if frames.len() == DEEPEST {
                    return None;
                }
                if frames.len() == 2 && is_at(&frames, &[b"cells", b""]) {
                    cell = Source { number: frames[1].items + 1, ..Source::default() };
                }
                frames.push(Frame { name: b"", is_list: *byte == b'[', items: 0 });
            }
            b'}' | b']' => {
                frames.pop()?;
                if frames.len() == 2 && is_at(&frames, &[b"cells", b""]) {
                    notebook.cells.push(std::mem::take(&mut cell));
                }
            }
            b',' => {
                if let Some(frame) = frames.last_mut() {
                    frame.items += 1;
                    frame.name = b"";
                }
            }
            b'"' => {
                let end = end_of_text(text, at)?;
                let raw = &text[at..end];
                let is_name = frames.last().is_some_and(|frame| !frame.is_list && frame.name.is_empty());
                if is_name {
                    if let Some(frame) = frames.last_mut() {
                        frame.name = &raw[1..raw.len() - 1];
                    }
                } else if is_at(&frames, &[b"cells", b"", b"source"])
                    || is_at(&frames, &[b"cells", b"", b"source", b""])
                {
                    cell.parts.push((line, unescaped(raw)));
                } else if is_at(&frames, &[b"cells", b"", b"cell_type"]) {
                    cell.is_code = raw == b"\"code\"";
                } else if is_at(&frames, &[b"metadata", b"language_info", b"name"])
                    || (is_at(&frames, &[b"metadata", b"kernelspec", b"language"])
                        && notebook.language.is_none())
                {
                    notebook.language = Some(unescaped(raw).to_lowercase());
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Some(notebook)
}

/// Whether the place that is read has these names around it, an empty one for a list.
fn is_at(frames: &[Frame<'_>], names: &[&[u8]]) -> bool {
    frames.len() == names.len()
        && frames
            .iter()
            .zip(names)
            .all(|(frame, name)| frame.is_list == name.is_empty() && frame.name == *name)
}

/// Where the text that begins with the quote at `start` ends, its last quote included.
fn end_of_text(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn unescaped(raw: &[u8]) -> String {
    serde_json::from_slice(raw)
        .or_else(|_| serde_json::from_str(&String::from_utf8_lossy(raw)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cells_keep_their_place() {
        let text = r#"{
 "cells": [
  {
   "cell_type": "markdown",
   "source": [
    "def text():\n"
   ]
  },
  {
   "cell_type": "code",
   "outputs": [{"text": ["x = 1\n"]}],
   "source": [
    "%matplotlib inline\n",
    "import os\n",
    "if os:\n",
    "    !ls\n",
    "files = !ls\n",
    "a = b % c"
   ]
  },
  {
   "cell_type": "code",
   "source": [
    "%%bash\n",
    "echo no"
   ]
  }
 ],
 "metadata": {"kernelspec": {"language": "python"}, "language_info": {"name": "python"}}
}
"#;
        let (code, cells) = code(text.as_bytes()).unwrap();
        let code = String::from_utf8(code).unwrap();
        let lines: Vec<&str> = code.lines().collect();
        let at = |part: &str| text.lines().position(|line| line.contains(part)).unwrap();
        assert_eq!(lines[at("import os")], "import os");
        assert_eq!(lines[at("%matplotlib")], "");
        assert_eq!(lines[at("!ls")], "    pass");
        assert_eq!(lines[at("files =")], "files = None");
        assert_eq!(lines[at("a = b")], "a = b % c");
        assert!(!code.contains("echo") && !code.contains("def text"), "{code}");
        assert_eq!(cells.cells.iter().map(|cell| cell.number).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(cells.at(at("import os") as u64 + 1).map(|cell| cell.number), Some(2));
        assert_eq!(cells.at(1), None);
        assert_eq!(cells.lines(), 8);
        assert_eq!(language(text.as_bytes()), Some(Language::Python));
    }

    #[test]
    fn a_notebook_on_one_line_counts_lines_over_its_cells() {
        let text = br#"{"cells":[{"source":"a = 1\nb = \"\u00e9\"","cell_type":"code"},{"cell_type":"code","source":["c = 3"]}],
            "metadata":{"language_info":{"name":"Python"}}}"#;
        let (code, cells) = code(text).unwrap();
        assert_eq!(String::from_utf8(code).unwrap(), "a = 1\nb = \"é\"\n\nc = 3\n\n");
        assert_eq!(cells.at(4).map(|cell| cell.number), Some(2));
        assert_eq!(cells.at(3), None);
    }

    #[test]
    fn what_is_no_notebook_gives_none_or_nothing() {
        for text in ["", "{", "\"", "[1", "{\"cells\": 5}", "}", "\"\\"] {
            if let Some((code, _)) = code(text.as_bytes()) {
                assert!(code.is_empty(), "{text}");
            }
        }
        assert!(code("[".repeat(100_000).as_bytes()).is_none());
    }
}
