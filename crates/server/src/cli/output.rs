//! What commands print: JSON for programs, tables for people. Everything leaves by [`line()`] or [`note`], harmless.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use super::display::{cell, terminal_safe};
use super::table::{self, Column};

/// Standard output could not be written: what was asked for was not given.
#[derive(Debug)]
pub(super) struct StdoutError(io::Error);

impl StdoutError {
    /// Whether the reader went away, as `head` does when it has seen enough.
    pub(super) fn is_closed(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

impl fmt::Display for StdoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output cannot be written")
    }
}

impl std::error::Error for StdoutError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Prints a line on standard output.
pub(super) fn line(text: &str) -> Result<(), StdoutError> {
    bytes(format!("{}\n", terminal_safe(text)).as_bytes())
}

/// Writes our own words, as they are, to standard output.
pub(super) fn bytes(words: &[u8]) -> Result<(), StdoutError> {
    let mut out = io::stdout().lock();
    out.write_all(words).and_then(|()| out.flush()).map_err(StdoutError)
}

/// Tells a person something on standard error. That it cannot be written there is no failure.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", terminal_safe(text));
}

/// Prints JSON on standard output.
pub(super) fn json(value: &Value) -> Result<(), StdoutError> {
    line(&format!("{value:#}"))
}

/// Prints a list as a table, and how to see more.
pub(super) fn list(answer: &Value, columns: &[Column]) -> Result<(), StdoutError> {
    let rows = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        note("there are none");
    } else {
        table(rows, columns)?;
    }
    unreadable(answer)?;
    if let Some(next) = answer["next"].as_str() {
        note(&format!("more: --cursor {next}"));
    }
    Ok(())
}

/// Prints which rows cannot be read.
pub(super) fn unreadable(answer: &Value) -> Result<(), StdoutError> {
    for row in answer["unreadable"].as_array().into_iter().flatten() {
        let [id, place, reason] = ["id", "place", "reason"].map(|member| cell(row.get(member)));
        let id = if id.is_empty() { id } else { format!(" ({id})") };
        line(&format!("cannot be read: {place}{id}: {reason}"))?;
    }
    Ok(())
}

/// Prints rows as a table, as it fits the terminal if it goes to one.
pub(super) fn table(rows: &[Value], columns: &[Column]) -> Result<(), StdoutError> {
    line(&match terminal_width() {
        Some(width) => table::fitted(rows, columns, width),
        None => table::tabbed(rows, columns),
    })
}

/// How wide the terminal is, as `COLUMNS` or else the terminal itself says; `None` if standard output is none.
fn terminal_width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let chosen = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let known = || rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col);
    chosen.or_else(known).filter(|width| *width > 0)
}
