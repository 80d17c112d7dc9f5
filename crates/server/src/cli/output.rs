//! What commands print: JSON for programs, tables for people.

use std::io::Write;

use comfy_table::{Table, presets};
use serde_json::Value;

/// A column of a table: its heading, and the member that it shows, as a JSON pointer.
pub(super) type Column = (&'static str, &'static str);

/// Prints a line on standard output. A reader that went away is no failure.
pub(super) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Tells a person something on standard error. That it cannot be written there is no failure either.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints JSON on standard output.
pub(super) fn json(value: &Value) {
    line(&format!("{value:#}"));
}

/// Prints a list as a table, and how to see more.
pub(super) fn list(answer: &Value, columns: &[Column]) {
    let rows = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    table(rows, columns);
    unreadable(answer);
    if let Some(next) = answer["next"].as_str() {
        note(&format!("more: --cursor {next}"));
    }
}

/// Prints which rows cannot be read.
pub(super) fn unreadable(answer: &Value) {
    for row in answer["unreadable"].as_array().into_iter().flatten() {
        let [id, place, reason] = ["id", "place", "reason"].map(|member| cell(row.get(member)));
        let id = if id.is_empty() { id } else { format!(" ({id})") };
        line(&format!("cannot be read: {place}{id}: {reason}"));
    }
}

/// Prints rows as a table.
pub(super) fn table(rows: &[Value], columns: &[Column]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns.iter().map(|(heading, _)| *heading));
    for row in rows {
        table.add_row(columns.iter().map(|(_, pointer)| cell(row.pointer(pointer))));
    }
    line(&table.to_string());
}

/// A value as a person reads it.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
