//! Jupyter notebooks: their code cells as one text, each line at the place that it has in the file.

/// Which lines of a notebook's text belong to which cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// First and last line of every code cell, from 1, and its number among all cells, from 1.
    pub cells: Vec<(u64, u64, u64)>,
}
