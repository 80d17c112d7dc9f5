//! From rows to what they mean.

mod channel;
mod delivery;
mod order;
mod subscription;

use rusqlite::{CachedStatement, Connection, Params, Row};
use subscription::endpoint;

use crate::unreadable::{Read, Table, Unreadable, read_row};
pub(crate) use channel::{MESSAGE_COLUMNS, PAUSE_COLUMNS, message, pause};
pub(crate) use delivery::{
    ATTEMPT_COLUMNS, DELIVERY_COLUMNS, DELIVERY_JOINS, INTERVENTION_COLUMNS, RECEIPT_COLUMNS, attempt,
    delivery, delivery_state, intervention, kind, notice, receipt,
};
pub(crate) use order::{ORDER_COLUMNS, order};
pub(crate) use subscription::{
    FAILING_COLUMNS, SUBSCRIPTION_COLUMNS, VERSION_COLUMNS, VERSIONS, Versions, failure_streak,
    found_version, protocol, state, subscription,
};

/// Every row of a query.
pub(crate) fn all<T>(
    mut statement: CachedStatement<'_>,
    parameters: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    statement.query_map(parameters, read)?.collect()
}

/// Every row of a query that can be read, and beside them those that cannot.
pub(crate) fn sift<T>(
    statement: CachedStatement<'_>,
    parameters: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<Read<T>>,
) -> rusqlite::Result<(Vec<T>, Vec<Unreadable>)> {
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for row in all(statement, parameters, read)? {
        match row {
            Ok(row) => readable.push(row),
            Err(row) => unreadable.push(row),
        }
    }
    Ok((readable, unreadable))
}

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
