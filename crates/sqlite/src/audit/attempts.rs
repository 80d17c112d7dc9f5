//! The attempts at deliveries, and their receipts, as they are on record.

use oracle::deliveries::{Attempt, Outcome, Receipt, Status};
use rusqlite::{Connection, Row, Rows, Statement};

use crate::columns;
use crate::rows;
use crate::unreadable::{Read, Table, read_row};

/// What a table holds of deliveries, in the order of their places: whoever goes through the deliveries in that order reads
/// each row once, with no search of its own.
pub(super) struct InOrder<'s, T> {
    rows: Rows<'s>,
    read: fn(i64, &Row<'_>) -> rusqlite::Result<T>,
    next: Option<(i64, T)>,
}

/// The attempts, or why one of them makes no sense.
pub(super) type Attempts<'s> = InOrder<'s, Read<Attempt>>;
/// The receipts, as they came; `None` stands for one that cannot be read.
pub(super) type Receipts<'s> = InOrder<'s, Option<Receipt>>;

impl<'s, T> InOrder<'s, T> {
    fn from(
        statement: &'s mut Statement<'_>,
        read: fn(i64, &Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Self> {
        let mut all = Self { rows: statement.query(())?, read, next: None };
        all.advance()?;
        Ok(all)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        let (row, read) = (self.rows.next()?, self.read);
        let next = row.map(|row| {
            let delivery = row.get("delivery")?;
            Ok::<_, rusqlite::Error>((delivery, read(delivery, row)?))
        });
        self.next = next.transpose()?;
        Ok(())
    }

    /// Those of a delivery that comes after all that were asked for.
    pub(super) fn of(&mut self, delivery: i64) -> rusqlite::Result<Vec<T>> {
        let mut found = Vec::new();
        while let Some((of, row)) = self.next.take_if(|(of, _)| *of <= delivery) {
            // Those of deliveries that are gone are found as dangling references.
            found.extend((of == delivery).then_some(row));
            self.advance()?;
        }
        Ok(found)
    }
}

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
