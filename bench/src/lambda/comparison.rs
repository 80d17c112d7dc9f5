//! The table.

use std::io::Write;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};

use super::samples::{Samples, Summary};

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

/// Prints what was measured, beside what is wanted. A timing decides nothing.
///
/// # Errors
/// Nobody reads the output.
pub(super) fn print(python: &Samples, http: &Samples, stream: &Samples, zip: u64) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header([
        "",
        "Python:\nput, publish",
        "ours: put",
        "×",
        "",
        "ours: put, then\nthe stream publishes",
        "×",
        "",
        "wanted",
    ]);
    let (python, alone, both) = (python.sum_up(), http.sum_up(), http.followed_by(stream).sum_up());
    for row in ROWS {
        let Row { what, of, wanted, .. } = row;
        let (theirs, without, with) = (of(&python), of(&alone), of(&both));
        let times = |ours: f64| format!("{:.1}", theirs / ours);
        table.add_row([
            what,
            &format!("{theirs:.1}"),
            &format!("{without:.1}"),
            &times(without),
            row.verdict(theirs, without),
            &format!("{with:.1}"),
            &times(with),
            row.verdict(theirs, with),
            wanted,
        ]);
    }
    let zip = f64::from(u32::try_from(zip)?) / 1e6;
    let verdict = verdict(zip <= MAX_ZIP);
    table.add_row(["zip, MB", "", &format!("{zip:.1}"), "", verdict, "the same", "", verdict, "at most 6"]);
    for column in [1, 2, 3, 5, 6] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let (starts, warm) = (http.cold.len(), http.warm.len());
    writeln!(std::io::stdout(), "{table}\n{starts} starts and {warm} warm invocations of each")?;
    Ok(())
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
