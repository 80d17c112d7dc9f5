//! What commands print: JSON for programs, tables for people. Everything leaves by [`line`] or [`note`], harmless.

use std::fmt;
use std::io::{self, Write};

use comfy_table::{Table, presets};
use serde_json::Value;

use super::harmless::harmless;

/// A column of a table: its heading, and the member that it shows, as a JSON pointer.
pub(super) type Column = (&'static str, &'static str);

/// Standard output could not be written: what was asked for was not given.
#[derive(Debug)]
pub(super) struct Unwritten(io::Error);

impl Unwritten {
    /// Whether the reader went away, as `head` does when it has seen enough.
    pub(super) fn is_closed(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output cannot be written")
    }
}

impl std::error::Error for Unwritten {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Prints a line on standard output.
pub(super) fn line(text: &str) -> Result<(), Unwritten> {
    bytes(format!("{}\n", harmless(text)).as_bytes())
}

/// Writes our own words, as they are, to standard output.
pub(super) fn bytes(words: &[u8]) -> Result<(), Unwritten> {
    let mut out = io::stdout().lock();
    out.write_all(words).and_then(|()| out.flush()).map_err(Unwritten)
}

/// Tells a person something on standard error. That it cannot be written there is no failure.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// Prints JSON on standard output.
pub(super) fn json(value: &Value) -> Result<(), Unwritten> {
    line(&format!("{value:#}"))
}

/// Prints a list as a table, and how to see more.
pub(super) fn list(answer: &Value, columns: &[Column]) -> Result<(), Unwritten> {
    let rows = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    table(rows, columns)?;
    unreadable(answer)?;
    if let Some(next) = answer["next"].as_str() {
        note(&format!("more: --cursor {next}"));
    }
    Ok(())
}

/// Prints which rows cannot be read.
pub(super) fn unreadable(answer: &Value) -> Result<(), Unwritten> {
    for row in answer["unreadable"].as_array().into_iter().flatten() {
        let [id, place, reason] = ["id", "place", "reason"].map(|member| cell(row.get(member)));
        let id = if id.is_empty() { id } else { format!(" ({id})") };
        line(&format!("cannot be read: {place}{id}: {reason}"))?;
    }
    Ok(())
}

/// Prints rows as a table.
pub(super) fn table(rows: &[Value], columns: &[Column]) -> Result<(), Unwritten> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns.iter().map(|(heading, _)| *heading));
    for row in rows {
        table.add_row(columns.iter().map(|(_, pointer)| cell(row.pointer(pointer))));
    }
    line(&table.to_string())
}

/// A value as a person reads it.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
