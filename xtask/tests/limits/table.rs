//! The rows of `docs/LIMITS.md`.

use crate::numbers::{Number, in_words};

/// A bound, as the document has it.
#[derive(Debug)]
pub(crate) struct Row {
    /// What is bounded.
    pub(crate) what: String,
    /// The numbers of the bound, in their order.
    pub(crate) numbers: Vec<Number>,
    /// The constants that hold it, whose numbers follow one another: `crate::NAME`, or with as much of the path between
    /// as tells it from others.
    pub(crate) constants: Vec<String>,
}

/// The rows of every table with four columns: what, bound, set by, beyond it.
pub(crate) fn rows(document: &str) -> Vec<Row> {
    let cells = document.lines().filter_map(cells_of);
    let is_head = |cells: &[String; 4]| cells[1].trim_matches(['-', ' ']).is_empty() || cells[1] == "bound";
    cells.filter(|cells| !is_head(cells)).map(row).collect()
}

fn cells_of(line: &str) -> Option<[String; 4]> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<_> = inner.split('|').map(|cell| cell.trim().to_owned()).collect();
    cells.try_into().ok()
}

fn row([what, bound, set_by, _]: [String; 4]) -> Row {
    // What stands between backticks is every second piece.
    let quoted = set_by.split('`').skip(1).step_by(2);
    let constants = quoted.filter(|quoted| quoted.contains("::")).map(str::to_owned).collect();
    let numbers = in_words(&bound).unwrap_or_else(|mistake| panic!("docs/LIMITS.md, {what}: {mistake}"));
    Row { what, numbers, constants }
}
