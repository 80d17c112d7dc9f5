//! The attempts at a delivery, and its receipts, as they are on record.

use oracle::deliveries::{Attempt, Outcome, Receipt, Status};
use rusqlite::{Connection, Row};

use crate::columns;
use crate::rows;
use crate::unreadable::{Read, Table, read_row};

/// The attempts at a delivery, or why one of them makes no sense.
pub(super) fn read(snapshot: &Connection, delivery: i64) -> rusqlite::Result<Vec<Read<Attempt>>> {
    let sql = "SELECT number, started_at, ended_at, outcome, scope, used, reply, status FROM attempts \
               WHERE delivery = ? ORDER BY number";
    let mut statement = snapshot.prepare_cached(sql)?;
    let mut found = statement.query([delivery])?;
    let mut attempts = Vec::new();
    while let Some(row) = found.next()? {
        attempts.push(read_row(Table::Attempts, delivery, row, attempt)?);
    }
    Ok(attempts)
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    // All of it must be readable, though only a part counts here.
    rows::attempt(row)?;
    let outcome = match columns::time_or_none(row, "ended_at")? {
        Some(_) => Outcome::named(columns::named(row, "outcome", &Outcome::NAMES, |name| name)?),
        None => None,
    };
    Ok(Attempt { number: row.get("number")?, outcome, used: row.get("used")? })
}

/// What its provider reported of a delivery, in the order in which it did; `None` where something of that cannot be read, so
/// that nobody knows what it explains.
pub(super) fn receipts(snapshot: &Connection, delivery: i64) -> rusqlite::Result<Option<Vec<Receipt>>> {
    let sql = "SELECT attempt, status FROM receipts WHERE delivery = ? ORDER BY number";
    let mut statement = snapshot.prepare_cached(sql)?;
    let receipt = |row: &Row<'_>| {
        let status = columns::named(row, "status", &Status::ALL, Status::name);
        Ok(row.get("attempt").and_then(|attempt| Ok(Receipt { attempt, status: status? })).ok())
    };
    statement.query_map([delivery], receipt)?.collect()
}
