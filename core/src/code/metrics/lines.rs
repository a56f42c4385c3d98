//! Rows of a text, and what stands on each of them.

/// What a row holds, one bit each.
pub(super) mod row {
    pub(crate) const CODE: u8 = 1;
    pub(crate) const COMMENT: u8 = 2;
    pub(crate) const IMPORT: u8 = 4;
    pub(crate) const BLANK: u8 = 8;
}

/// The rows of a text.
pub(super) struct Rows {
    /// Where each row starts, and one entry behind the last.
    starts: Vec<u32>,
    pub(super) marks: Vec<u8>,
    /// The row of the last mark: tokens come in order.
    at: usize,
}

impl Rows {
    pub(super) fn of(text: &[u8]) -> Rows {
        let mut starts = Vec::with_capacity(text.len() / 24 + 2);
        let mut marks = Vec::with_capacity(text.len() / 24 + 1);
        let mut start = 0;
        while start < text.len() {
            let rest = &text[start..];
            let end = start + rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| at + 1);
            let blank = text[start..end].iter().all(u8::is_ascii_whitespace);
            starts.push(u32::try_from(start).unwrap_or(u32::MAX));
            marks.push(if blank { row::BLANK } else { 0 });
            start = end;
        }
        starts.push(u32::MAX);
        Rows { starts, marks, at: 0 }
    }

    /// Marks the rows of a piece of text; pieces come in the order of their starts.
    #[inline]
    pub(super) fn mark(&mut self, start: u32, end: u32, mark: u8) {
        while self.starts.get(self.at + 1).is_some_and(|&next| next <= start) {
            self.at += 1;
        }
        if let Some(marks) = self.marks.get_mut(self.at) {
            *marks |= mark;
        }
        if self.starts.get(self.at + 1).is_some_and(|&next| next < end) {
            self.mark_rest(end, mark);
        }
    }

    #[cold]
    fn mark_rest(&mut self, end: u32, mark: u8) {
        while self.starts.get(self.at + 1).is_some_and(|&next| next < end) {
            self.at += 1;
            if let Some(marks) = self.marks.get_mut(self.at) {
                *marks |= mark;
            }
        }
    }

    /// How many rows up to each row hold code, comments, nothing.
    pub(super) fn sums(&self) -> Vec<[u32; 3]> {
        let mut sums = Vec::with_capacity(self.marks.len() + 1);
        let mut sum = [0; 3];
        sums.push(sum);
        for marks in &self.marks {
            let blank = marks & row::BLANK != 0;
            sum[0] += u32::from(!blank && marks & (row::CODE | row::IMPORT) != 0);
            sum[1] += u32::from(!blank && marks & row::COMMENT != 0);
            sum[2] += u32::from(blank);
            sums.push(sum);
        }
        sums
    }
}
