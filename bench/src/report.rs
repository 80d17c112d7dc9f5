//! What was measured, beside what is wanted.

use std::io::Write;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};

/// A measured figure.
pub(crate) struct Figure {
    what: String,
    value: String,
    wanted: String,
    verdict: &'static str,
}

impl Figure {
    /// One that is good when it is at most `limit`.
    pub(crate) fn at_most(what: &str, value: f64, limit: f64) -> Self {
        let wanted = format!("< {limit}");
        Self { what: what.to_owned(), value: format!("{value:.1}"), wanted, verdict: verdict(value < limit) }
    }

    /// Something of which there should be none.
    pub(crate) fn none(what: &str, count: usize) -> Self {
        Self {
            what: what.to_owned(),
            value: count.to_string(),
            wanted: "0".to_owned(),
            verdict: verdict(count == 0),
        }
    }

    /// A share; good when it is at least `wanted`, if anything is.
    pub(crate) fn share(what: String, value: f64, wanted: Option<f64>) -> Self {
        let value_shown = format!("{value:.2}");
        let Some(wanted) = wanted else {
            return Self { what, value: value_shown, wanted: String::new(), verdict: "" };
        };
        Self {
            what, value: value_shown, wanted: format!("≥ {wanted:.2}"), verdict: verdict(value >= wanted)
        }
    }

    /// One that nothing is wanted of.
    pub(crate) fn plain(what: String, value: f64) -> Self {
        Self { what, value: format!("{value:.0}"), wanted: String::new(), verdict: "" }
    }
}

fn verdict(good: bool) -> &'static str {
    if good { "PASS" } else { "MISS" }
}

/// Prints the figures as a table. A timing decides nothing: it depends on the machine and on what else runs there.
///
/// # Errors
/// Nobody reads the output.
pub(crate) fn print(figures: &[Figure]) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(["what", "measured", "wanted", ""]);
    for figure in figures {
        table.add_row([&figure.what, &figure.value, &figure.wanted, figure.verdict]);
    }
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(std::io::stdout(), "{table}")?;
    Ok(())
}

/// The middle of the values; of an even number the upper middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_run_does_not_move_the_median() {
        assert!((median(vec![9.0, 1.0, 1000.0]) - 9.0).abs() < f64::EPSILON);
    }
}
