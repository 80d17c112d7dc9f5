//! What people made of orders: the changes of their statuses.

use std::collections::BTreeMap;

use application::ports::{Changed, StatusChanges};
use application::{Error, ErrorKind};
use async_trait::async_trait;
use domain::order::{MAX_CHANGES, OrderId, OrderStatus, StatusChange, Way};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::Store;
use crate::columns::{micros, named, time};
use crate::failure::{Failure, unreadable};
use crate::orders::spam::seq_of;

const COLUMNS: &str = "number, status, at, who, link_to";
const INSERT: &str =
    "INSERT INTO status_changes (order_seq, number, status, at, who, link_to) VALUES (?, ?, ?, ?, ?, ?)";

#[async_trait]
impl StatusChanges for Store {
    async fn change_status(&self, order: OrderId, change: StatusChange) -> Result<Changed, Error> {
        self.write(1, move |transaction| make(transaction.connection, order, &change)).await
    }

    async fn status_changes(&self, order: OrderId) -> Result<Vec<StatusChange>, Error> {
        self.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM status_changes WHERE order_seq = (SELECT seq FROM orders WHERE id = ?) ORDER BY number"
            );
            let mut statement = connection.prepare_cached(&sql).map_err(unreadable)?;
            let found = statement.query_map([order.0.as_bytes()], |row| Ok(numbered(row))).map_err(unreadable)?;
            let found = found.collect::<rusqlite::Result<Vec<_>>>().map_err(unreadable)?;
            Ok(found.into_iter().filter_map(readable).map(|(_, change)| change).collect())
        })
        .await
    }

    async fn last_status_changes(
        &self,
        orders: Vec<OrderId>,
    ) -> Result<BTreeMap<OrderId, StatusChange>, Error> {
        self.read(move |connection| {
            let mut found = BTreeMap::new();
            for order in orders {
                let sql = "SELECT seq FROM orders WHERE id = ?";
                let mut statement = connection.prepare_cached(sql).map_err(unreadable)?;
                let seq = statement.query_row([order.0.as_bytes()], |row| row.get(0)).optional();
                let last = seq.map_err(unreadable)?.and_then(|seq| last(connection, seq).transpose());
                found.extend(last.and_then(readable).map(|(_, change)| (order, change)));
            }
            Ok(found)
        })
        .await
    }
}

fn make(connection: &Connection, order: OrderId, change: &StatusChange) -> Result<Changed, Failure> {
    let seq = seq_of(connection, order)?;
    let before = last(connection, seq)?;
    let (number, status) =
        before.as_ref().map_or((0, OrderStatus::New), |(number, last)| (*number, last.status));
    if !status.leads_to(change.status) {
        return Ok(Changed::Refused(before.map(|(_, last)| last)));
    }
    if number >= MAX_CHANGES {
        let message = format!("The order was changed {MAX_CHANGES} times, as often as is kept");
        return Err(Error::new(ErrorKind::Conflict, "too_many_changes", message).into());
    }
    let StatusChange { status, at, who, way } = change;
    let link_to = match way {
        Way::Operator => None,
        Way::Link { to } => Some(to),
    };
    let row = params![seq, number + 1, status.name(), micros(*at), who, link_to];
    connection.prepare_cached(INSERT)?.execute(row)?;
    Ok(Changed::Made)
}

/// A change that can be read. Without one that cannot, its order is shown as it was before, which nobody overlooks.
fn readable<T>(change: rusqlite::Result<T>) -> Option<T> {
    change.inspect_err(|error| tracing::warn!(%error, "a change of a status cannot be read")).ok()
}

/// The last change of an order, by its `seq`, and its number.
fn last(connection: &Connection, order: i64) -> rusqlite::Result<Option<(u32, StatusChange)>> {
    let sql =
        format!("SELECT {COLUMNS} FROM status_changes WHERE order_seq = ? ORDER BY number DESC LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([order], numbered).optional()
}

pub(crate) fn numbered(row: &Row<'_>) -> rusqlite::Result<(u32, StatusChange)> {
    let way = match row.get("link_to")? {
        None => Way::Operator,
        Some(to) => Way::Link { to },
    };
    let change = StatusChange {
        status: named(row, "status", &OrderStatus::ALL, OrderStatus::name)?,
        at: time(row, "at")?,
        who: row.get("who")?,
        way,
    };
    Ok((row.get("number")?, change))
}
