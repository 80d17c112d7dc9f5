//! What is quarantined, and the rows that no other check reads.

use std::collections::HashSet;

use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::order::OrderId;
use domain::subscription::SubscriptionId;
use oracle::Promise;
use rusqlite::{Connection, OptionalExtension, Row};

use super::exception::{Exception, ExceptionKind, Findings};
use crate::columns;
use crate::rows::{self, INTERVENTION_COLUMNS, MESSAGE_COLUMNS, PAUSE_COLUMNS, RECEIPT_COLUMNS};
use crate::unreadable::{Table, read_row};

/// Deliveries that are held back, and nothing that they take is quarantined.
const HELD_BACK_BY_NOTHING: &str = "SELECT id FROM deliveries WHERE quarantined = 1 AND NOT EXISTS \
     (SELECT 1 FROM quarantine WHERE of_table = 'deliveries' AND row = deliveries.seq \
     OR of_table = 'orders' AND row = order_seq \
     OR of_table IN ('subscriptions', 'subscription_versions') AND row = subscription) ORDER BY seq";

/// The orders that are quarantined, by their places: they are published once they can be read.
pub(super) fn orders(snapshot: &Connection) -> rusqlite::Result<HashSet<i64>> {
    let sql = "SELECT row FROM quarantine WHERE of_table = 'orders'";
    snapshot.prepare(sql)?.query_map((), |row| row.get(0))?.collect()
}

pub(super) fn check(snapshot: &Connection, findings: &mut Findings<'_>) -> rusqlite::Result<()> {
    read_all(snapshot, Table::Receipts, RECEIPT_COLUMNS, rows::receipt, findings)?;
    read_all(snapshot, Table::Interventions, INTERVENTION_COLUMNS, rows::intervention, findings)?;
    read_all(snapshot, Table::ChannelPauses, PAUSE_COLUMNS, rows::pause, findings)?;
    read_all(snapshot, Table::Inbox, MESSAGE_COLUMNS, rows::message, findings)?;
    let sql = "SELECT of_table, row, reason, since FROM quarantine ORDER BY of_table, row";
    let mut statement = snapshot.prepare(sql)?;
    let mut found = statement.query(())?;
    while let Some(row) = found.next()? {
        let (table, number): (String, i64) = (row.get("of_table")?, row.get("row")?);
        if !findings.has_named(&table, number) {
            findings.add(mended(snapshot, &table, number, row)?);
        }
    }
    let mut statement = snapshot.prepare(HELD_BACK_BY_NOTHING)?;
    let mut found = statement.query(())?;
    while let Some(row) = found.next()? {
        let wrong = "it is held back, and nothing that it takes is quarantined";
        let unexplained = Exception::from(Promise::StateExplained.broken(wrong));
        findings.add(unexplained.delivery(columns::uuid(row, "id").ok().map(DeliveryId)));
    }
    Ok(())
}

/// Names the rows of a table that cannot be read.
fn read_all<T>(
    snapshot: &Connection,
    table: Table,
    columns: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<()> {
    let sql = format!("SELECT {columns}, {} AS known_by FROM {}", table.key(), table.name());
    let mut statement = snapshot.prepare(&sql)?;
    let mut found = statement.query(())?;
    while let Some(row) = found.next()? {
        if let Err(unreadable) = read_row(table, row.get("known_by")?, row, read)? {
            let exception = findings.unreadable(&unreadable);
            findings.add(exception);
        }
    }
    Ok(())
}

/// A row that is quarantined, though it can be read by now.
fn mended(snapshot: &Connection, table: &str, number: i64, row: &Row<'_>) -> rusqlite::Result<Exception> {
    let reason: String = row.get("reason")?;
    let since =
        columns::time(row, "since").map_or_else(|_| "some time".to_owned(), |at: Timestamp| at.to_string());
    let key = Table::ALL.into_iter().find(|known| known.name() == table).map_or("seq", Table::key);
    let wrong =
        format!("{table}.{key} = {number} is quarantined since {since}, though it can be read: {reason}");
    let exception = Exception::new(ExceptionKind::Quarantined, wrong);
    let id = |of: &str| -> rusqlite::Result<_> {
        let sql = format!("SELECT id FROM {of} WHERE seq = ?");
        let id = snapshot
            .prepare_cached(&sql)?
            .query_row([number], |row| Ok(columns::uuid(row, 0).ok()))
            .optional()?;
        Ok(id.flatten())
    };
    Ok(match table {
        "orders" => exception.order(id("orders")?.map(OrderId)),
        "subscriptions" | "subscription_versions" => {
            exception.subscription(id("subscriptions")?.map(SubscriptionId))
        }
        "deliveries" | "attempts" | "receipts" | "interventions" => {
            exception.delivery(id("deliveries")?.map(DeliveryId))
        }
        _ => exception,
    })
}
