//! What a question came to: figures with their spread, beside a reference measured in the same run and beside what is
//! wanted. A timing decides nothing: it depends on the machine and on what else runs there.

mod machine;
pub(crate) mod spread;

use std::env;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use machine::{Build, Machine};
use spread::Spread;

const HEADER: [&str; 11] =
    ["what", "unit", "median", "least", "most", "ratio", "least", "most", "of", "wanted", ""];

/// The answer to one question, as it is printed and as it is kept in JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The name by which it is asked.
    pub(crate) question: String,
    /// What was measured, in a sentence.
    pub(crate) what: String,
    /// How to repeat it.
    pub(crate) command: String,
    /// When it was begun: RFC 3339, UTC, whole seconds.
    pub(crate) date: String,
    /// Where it was measured.
    pub(crate) machine: Machine,
    /// What was measured.
    pub(crate) build: Build,
    /// The figures.
    pub(crate) rows: Vec<Row>,
    /// What one has to know beside them.
    pub(crate) notes: Vec<String>,
}

/// One figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    /// What it tells.
    pub(crate) name: String,
    /// Its unit, such as `/s`, `ms` or `MB`.
    pub(crate) unit: String,
    /// The rounds' own figures.
    pub(crate) value: Spread,
    /// Its share of the reference, round by round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<Ratio>,
    /// What is wanted: of the ratio where there is one, else of the figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wanted: Option<Wanted>,
}

/// A figure divided by its reference.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ratio {
    /// The name of the reference.
    pub(crate) of: String,
    /// The rounds' own ratios.
    pub(crate) value: Spread,
}

/// What is wanted of a median.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wanted {
    /// So much or more.
    AtLeast(f64),
    /// So much or less.
    AtMost(f64),
}

impl Report {
    /// An empty one, about the program at that path.
    ///
    /// # Errors
    /// The program does not run, or the system does not say what machine it is.
    pub(crate) fn begin(question: &str, program: &Path, what: impl Into<String>) -> Result<Self> {
        Ok(Self {
            question: question.to_owned(),
            what: what.into(),
            command: command(env::args().skip(1)),
            date: format!("{:.0}", Timestamp::now()),
            machine: Machine::this()?,
            build: Build::of(program)?,
            rows: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Adds a figure.
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds what one has to know beside the figures.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Prints it as a table, and writes it to `json` if that is given.
    ///
    /// # Errors
    /// Nobody reads the output, or the file cannot be written.
    pub(crate) fn show(&self, json: Option<&Path>) -> Result<()> {
        let Self { question, what, date, machine, build, .. } = self;
        let mut out = std::io::stdout();
        writeln!(out, "{question}: {what}\n{date}; {machine}; {build}\n{}", self.table())?;
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        let Some(path) = json else { return Ok(()) };
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| path.display().to_string())
    }

    /// The figures as a table, which is Markdown, too.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(HEADER);
        for row in &self.rows {
            table.add_row(row.cells());
        }
        for column in [2, 3, 4, 5, 6, 7, 9] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

impl Row {
    /// A figure that was measured once or more; each round has its place.
    pub(crate) fn new(name: impl Into<String>, unit: &str, rounds: &[f64]) -> Self {
        let value = Spread::of(rounds);
        Self { name: name.into(), unit: unit.to_owned(), value, ratio: None, wanted: None }
    }

    /// Its share of a reference, which was measured in the same rounds.
    #[must_use]
    pub(crate) fn over(mut self, name: impl Into<String>, rounds: &[f64], reference: &[f64]) -> Self {
        let ratios: Vec<_> = rounds.iter().zip(reference).map(|(figure, of)| figure / of).collect();
        self.ratio = Some(Ratio { of: name.into(), value: Spread::of(&ratios) });
        self
    }

    /// Wants so much or more.
    #[must_use]
    pub(crate) fn at_least(mut self, wanted: f64) -> Self {
        self.wanted = Some(Wanted::AtLeast(wanted));
        self
    }

    /// Wants so much or less.
    #[must_use]
    pub(crate) fn at_most(mut self, wanted: f64) -> Self {
        self.wanted = Some(Wanted::AtMost(wanted));
        self
    }

    /// Whether it is as wanted; nothing where nothing is.
    pub(crate) fn verdict(&self) -> Option<bool> {
        let median = self.ratio.as_ref().map_or(self.value, |ratio| ratio.value).median;
        self.wanted.map(|wanted| match wanted {
            Wanted::AtLeast(least) => median >= least,
            Wanted::AtMost(most) => median <= most,
        })
    }

    /// The name, the unit, the spread, the ratio's spread and reference, what is wanted, and whether it is so.
    pub(crate) fn cells(&self) -> [String; 11] {
        let three = |value: Spread| [value.median, value.least, value.most].map(shown);
        let [median, least, most] = three(self.value);
        let [ratio, ratio_least, ratio_most] =
            self.ratio.as_ref().map(|ratio| three(ratio.value)).unwrap_or_default();
        let of = self.ratio.as_ref().map(|ratio| ratio.of.clone()).unwrap_or_default();
        let wanted = match self.wanted {
            Some(Wanted::AtLeast(least)) => format!("≥ {least}"),
            Some(Wanted::AtMost(most)) => format!("≤ {most}"),
            None => String::new(),
        };
        let verdict = match self.verdict() {
            Some(true) => "PASS",
            Some(false) => "MISS",
            None => "",
        };
        let (name, unit) = (self.name.clone(), self.unit.clone());
        [name, unit, median, least, most, ratio, ratio_least, ratio_most, of, wanted, verdict.to_owned()]
    }
}

/// A number with about three digits that say something.
pub(crate) fn shown(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 || number == 0.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// The chore that asked with these arguments; where on this machine something lies is not part of it.
fn command(mut arguments: impl Iterator<Item = String>) -> String {
    const PLACES: [&str; 4] = ["--program", "--json", "--tools", "--sources"];
    let mut words = vec!["cargo xtask bench".to_owned()];
    while let Some(word) = arguments.next() {
        match word.split_once('=') {
            None if PLACES.contains(&word.as_str()) => drop(arguments.next()),
            Some((option, _)) if PLACES.contains(&option) => {}
            _ => words.push(word),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_round_by_round_and_not_from_the_medians() {
        let row =
            Row::new("told", "/s", &[1.0, 20.0, 3.0]).over("bare", &[1.0, 20.0, 3.0], &[2.0, 100.0, 4.0]);
        let ratio = row.ratio.unwrap().value;
        assert_eq!((ratio.median, ratio.least, ratio.most), (0.5, 0.2, 0.75));
    }

    #[test]
    fn what_is_wanted_is_wanted_of_the_ratio_where_there_is_one() {
        let alone = Row::new("told", "/s", &[5.0]).at_least(0.4);
        assert_eq!(alone.verdict(), Some(true));
        assert_eq!(alone.over("bare", &[5.0], &[50.0]).verdict(), Some(false));
        assert_eq!(Row::new("p99", "ms", &[8.0]).at_most(8.0).verdict(), Some(true));
        assert_eq!(Row::new("p99", "ms", &[8.1]).at_most(8.0).verdict(), Some(false));
        assert_eq!(Row::new("p99", "ms", &[8.1]).verdict(), None);
    }

    #[test]
    fn where_nothing_was_measured_nothing_is_as_wanted() {
        assert_eq!(Row::new("p99", "ms", &[]).at_most(8.0).verdict(), Some(false));
        assert_eq!(Row::new("told", "/s", &[]).at_least(0.0).verdict(), Some(false));
    }

    #[test]
    fn the_command_to_repeat_it_names_no_place_of_this_machine() {
        let given =
            ["--program", "/orderbell", "telling", "--tools", "/x", "--rounds", "5", "--json=/it.json"];
        assert_eq!(command(given.map(str::to_owned).into_iter()), "cargo xtask bench telling --rounds 5");
    }

    #[test]
    fn a_report_is_read_back_as_it_was_written() {
        let row = Row::new("told", "/s", &[5.0, 6.5]).over("bare", &[5.0, 6.5], &[10.0, 10.0]).at_least(0.4);
        let read: Row = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap();
        assert_eq!(read.cells(), row.cells());
    }
}
