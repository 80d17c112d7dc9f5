//! Whether a row can be read.

use rusqlite::{Connection, Row};

use super::{
    ATTEMPT_COLUMNS, DELIVERY_COLUMNS, DELIVERY_JOINS, INTERVENTION_COLUMNS, MESSAGE_COLUMNS, ORDER_COLUMNS,
    PAUSE_COLUMNS, RECEIPT_COLUMNS, SUBSCRIPTION_COLUMNS, VERSION_COLUMNS, VERSIONS, attempt, delivery,
    found_version, intervention, message, order, pause, receipt, subscription,
};
use crate::unreadable::{Read, Table, read_row};

/// Reads all that is known by `row` in a table; what is gone hides nothing.
pub(crate) fn examine(connection: &Connection, table: Table, row: i64) -> rusqlite::Result<Read<()>> {
    let (columns, from) = match table {
        Table::Orders => (ORDER_COLUMNS, "orders"),
        Table::Subscriptions => (SUBSCRIPTION_COLUMNS, "subscriptions"),
        Table::SubscriptionVersions => (VERSION_COLUMNS, VERSIONS),
        Table::Deliveries => (DELIVERY_COLUMNS, DELIVERY_JOINS),
        Table::Attempts => (ATTEMPT_COLUMNS, "attempts"),
        Table::Receipts => (RECEIPT_COLUMNS, "receipts"),
        Table::Interventions => (INTERVENTION_COLUMNS, "interventions"),
        Table::ChannelPauses => (PAUSE_COLUMNS, "channel_pauses"),
        Table::Inbox => (MESSAGE_COLUMNS, "inbox"),
    };
    let sql = format!("SELECT {columns} FROM {from} WHERE {}.{} = ?", table.name(), table.key());
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([row])?;
    while let Some(read) = rows.next()? {
        if let Err(unreadable) = one(table, row, read)?
            && unreadable.table == table
        {
            return Ok(Err(unreadable));
        }
    }
    Ok(Ok(()))
}

fn one(table: Table, number: i64, row: &Row<'_>) -> rusqlite::Result<Read<()>> {
    match table {
        Table::Orders => by(order, table, number, row),
        Table::Subscriptions => by(subscription, table, number, row),
        Table::SubscriptionVersions => Ok(found_version(row)?.map(drop)),
        Table::Deliveries => Ok(delivery(row)?.map(drop)),
        Table::Attempts => by(attempt, table, number, row),
        Table::Receipts => by(receipt, table, number, row),
        Table::Interventions => by(intervention, table, number, row),
        Table::ChannelPauses => by(pause, table, number, row),
        Table::Inbox => by(message, table, number, row),
    }
}

fn by<T>(
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
    table: Table,
    number: i64,
    row: &Row<'_>,
) -> rusqlite::Result<Read<()>> {
    Ok(read_row(table, number, row, read)?.map(drop))
}
