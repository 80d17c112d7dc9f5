//! The table.

use std::io::Write;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};

use super::Measured;
use super::samples::Summary;

/// The largest zip, in MB (10⁶ bytes).
const MAX_ZIP: f64 = 6.0;

/// How a figure of ours is held against Python's.
struct Row {
    what: &'static str,
    of: fn(&Summary) -> f64,
    wanted: &'static str,
    /// The largest share of Python's figure that is good; none for one that is only shown.
    largest_share: Option<f64>,
}

const ROWS: [Row; 4] = [
    Row {
        what: "cold start, median, ms",
        of: |summary| summary.cold,
        wanted: "12 times faster",
        largest_share: Some(1.0 / 12.0),
    },
    Row {
        what: "warm, p50, ms",
        of: |summary| summary.warm_median,
        wanted: "as fast",
        largest_share: Some(1.0),
    },
    Row {
        what: "warm, p99, ms",
        of: |summary| summary.warm_p99,
        wanted: "as fast",
        largest_share: Some(1.0),
    },
    Row {
        what: "peak memory, MB",
        of: |summary| summary.peak,
        wanted: "a third",
        largest_share: Some(1.0 / 3.0),
    },
];

const HEADER: [&str; 10] = [
    "",
    "Python:\nput, publish",
    "ours:\nput",
    "×",
    "",
    "ours:\nput, publish, mark",
    "×",
    "",
    "ours, two functions:\nput; read, publish, mark",
    "×",
];

/// What stands under the table.
const NOTE: &str = "In the third of ours the request is answered after the put, and the table's stream invokes a second \
                    function.\nIts figures are sums over both: nobody waits for them, so nothing is wanted of them.";

/// Prints what was measured, beside what is wanted. A timing decides nothing.
///
/// # Errors
/// Nobody reads the output.
pub(super) fn print(measured: &Measured, zip: u64) -> Result<()> {
    let Measured { python, http, publishing, stream } = measured;
    let theirs = python.sum_up();
    let (without, with, both) = (http.sum_up(), publishing.sum_up(), http.followed_by(stream).sum_up());
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(HEADER.into_iter().chain(["wanted"]));
    for row in ROWS {
        let Row { what, of, wanted, .. } = row;
        let theirs = of(&theirs);
        let mut cells = vec![what.to_owned(), figure(theirs)];
        for ours in [&without, &with].map(of) {
            cells.extend([figure(ours), figure(theirs / ours), row.verdict(theirs, ours).to_owned()]);
        }
        cells.extend([figure(of(&both)), figure(theirs / of(&both)), wanted.to_owned()]);
        table.add_row(cells);
    }
    let zip = f64::from(u32::try_from(zip)?) / 1e6;
    let verdict = verdict(zip <= MAX_ZIP);
    table.add_row(["zip, MB", "", &figure(zip), "", verdict, "", "", "", "", "", "at most 6"]);
    for column in [1, 2, 3, 5, 6, 8, 9] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let (starts, warm) = (http.cold.len(), http.warm.len());
    writeln!(std::io::stdout(), "{table}\n{starts} starts and {warm} warm invocations of each\n{NOTE}")?;
    Ok(())
}

fn figure(number: f64) -> String {
    format!("{number:.1}")
}

impl Row {
    fn verdict(&self, theirs: f64, ours: f64) -> &'static str {
        self.largest_share.map_or("", |share| verdict(ours <= share * theirs))
    }
}

fn verdict(good: bool) -> &'static str {
    if good { "PASS" } else { "MISS" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twelfth_passes_and_a_little_more_misses() {
        assert_eq!(ROWS[0].verdict(480.0, 40.0), "PASS");
        assert_eq!(ROWS[0].verdict(480.0, 40.1), "MISS");
        assert_eq!(ROWS[1].verdict(10.0, 10.0), "PASS");
        assert_eq!(ROWS[3].verdict(50.0, 17.0), "MISS");
    }
}
