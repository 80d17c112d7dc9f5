//! The attempts at deliveries, and their receipts, as they are on record.

use oracle::deliveries::{Attempt, Outcome, Receipt, Status};
use rusqlite::{Connection, Row, Statement};

use super::in_order::InOrder;
use crate::columns;
use crate::rows;
use crate::unreadable::{Read, Table, read_row};

/// The attempts, or why one of them makes no sense.
pub(super) type Attempts<'s> = InOrder<'s, Read<Attempt>>;
/// The receipts, as they came; `None` stands for one that cannot be read.
pub(super) type Receipts<'s> = InOrder<'s, Option<Receipt>>;

/// Prepares to read all attempts.
pub(super) fn all_attempts(snapshot: &Connection) -> rusqlite::Result<Statement<'_>> {
    snapshot.prepare(
        "SELECT delivery, number, started_at, ended_at, outcome, scope, used, reply, status FROM attempts \
         ORDER BY delivery, number",
    )
}

/// Prepares to read all receipts.
pub(super) fn all_receipts(snapshot: &Connection) -> rusqlite::Result<Statement<'_>> {
    snapshot.prepare("SELECT delivery, attempt, status FROM receipts ORDER BY delivery, number")
}

/// The attempts, in order.
pub(super) fn attempts<'s>(all: &'s mut Statement<'_>) -> rusqlite::Result<Attempts<'s>> {
    InOrder::from(all, |delivery, row| read_row(Table::Attempts, delivery, row, attempt))
}

/// The receipts, in order.
pub(super) fn receipts<'s>(all: &'s mut Statement<'_>) -> rusqlite::Result<Receipts<'s>> {
    InOrder::from(all, |_, row| {
        let status = columns::named(row, "status", &Status::ALL, Status::name);
        Ok(row.get("attempt").and_then(|attempt| Ok(Receipt { attempt, status: status? })).ok())
    })
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
