//! What commands print: JSON for programs, tables for people. Everything leaves by [`line()`] or [`note`], harmless.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::harmless::harmless;
use super::table;

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
pub(super) fn unreadable(answer: &Value) -> Result<(), Unwritten> {
    for row in answer["unreadable"].as_array().into_iter().flatten() {
        let [id, place, reason] = ["id", "place", "reason"].map(|member| cell(row.get(member)));
        let id = if id.is_empty() { id } else { format!(" ({id})") };
        line(&format!("cannot be read: {place}{id}: {reason}"))?;
    }
    Ok(())
}

/// Prints rows as a table, as it fits the terminal if it goes to one.
pub(super) fn table(rows: &[Value], columns: &[Column]) -> Result<(), Unwritten> {
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

/// Members that are times.
const TIMES: [&str; 13] = [
    "/at",
    "/since",
    "/orderTime",
    "/createdAt",
    "/confirmedAt",
    "/confirmationExpiresAt",
    "/confirmationRequest/requestedAt",
    "/confirmationRequest/lastAttemptAt",
    "/confirmationRequest/nextAttemptAt",
    "/suspendedAt",
    "/failingSince",
    "/startedAt",
    "/endedAt",
];

/// Members that are names of ours.
const NAMES: [&str; 9] = [
    "/event",
    "/outcome",
    "/state",
    "/stateBefore",
    "/kind",
    "/pendingReason",
    "/confirmationRequest/waitsBecause",
    "/suspensionReason",
    "/endReason",
];

/// A member of an answer as a person reads it: times by this machine's clock, names in words.
pub(super) fn shown(answer: &Value, pointer: &str) -> String {
    let text = cell(answer.pointer(pointer));
    // A reason may be a provider's own words, which are left as they are.
    let is_name = || text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if TIMES.contains(&pointer) {
        local_time(&text)
    } else if NAMES.contains(&pointer) || (pointer == "/reason" && is_name()) {
        text.replace('_', " ")
    } else {
        text
    }
}

/// A number of things, as in "1 order" and "2 orders".
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// The time in this machine's zone, to the second; what is no time, as it is.
pub(super) fn local_time(text: &str) -> String {
    in_zone(text, TimeZone::system())
}

fn in_zone(text: &str, zone: TimeZone) -> String {
    let time = text.parse::<Timestamp>().map(|time| time.to_zoned(zone));
    time.map_or_else(|_| text.to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A value as a person reads it.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz;

    #[test]
    fn times_are_told_to_the_second_where_the_reader_is() {
        let zone = TimeZone::fixed(tz::offset(2));
        assert_eq!(in_zone("2026-11-30T23:15:09.123456Z", zone.clone()), "2026-12-01 01:15:09");
        assert_eq!(in_zone("no time", zone), "no time");
    }
}
