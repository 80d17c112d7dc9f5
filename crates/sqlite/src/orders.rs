//! Orders: stored by the writer, read newest first, and read as a log from the first unpublished one on.

pub(crate) mod accept;
pub(crate) mod known_keys;
pub(crate) mod spam;

use application::Error;
use application::ports::{Acceptance, Idempotency, OrderLog, OrderQuery, OrderStore, Page, Readiness};
use async_trait::async_trait;
use domain::order::{LoggedOrder, Order, OrderId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::Store;
use crate::columns::micros;
use crate::failure::unreadable;
use crate::orders::accept::{Accept, Hashed, accept};
use crate::paging::{Listed, Window};
use crate::rows::{self, ORDER_COLUMNS, all};
use crate::unreadable::{Read, Table, Unreadable, read_row};

#[async_trait]
impl OrderStore for Store {
    async fn accept(&self, order: Order, idempotency: Option<Idempotency>) -> Result<Acceptance, Error> {
        let body = serde_json::to_string(&order.details).map_err(Error::internal)?;
        let Order { id, time, request_id, .. } = order;
        let key = idempotency.map(Hashed::from);
        let order = Accept { id, time, body, request_id, key };
        self.write_order(move |transaction| accept(transaction, &order)).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, Error> {
        let found = self.read(move |connection| by_id(connection, id).map_err(unreadable)).await?;
        Ok(found.transpose()?.map(|logged| logged.order))
    }

    async fn orders(&self, query: OrderQuery) -> Result<Page<Order>, Error> {
        let window = Window::of(&query.page)?;
        let read = move |connection: &Connection| {
            Ok(window.page(listed(connection, &query, window).map_err(unreadable)?))
        };
        self.read_quarantining(read).await
    }

    async fn ready(&self) -> Result<Readiness, Error> {
        self.takes_orders()
    }
}

/// The order of that id.
pub(crate) fn by_id(connection: &Connection, id: OrderId) -> rusqlite::Result<Option<Read<LoggedOrder>>> {
    let sql = format!("SELECT {ORDER_COLUMNS} FROM orders WHERE id = ?");
    connection.prepare_cached(&sql)?.query_row([id.0.as_bytes()], order).optional()
}

fn order(row: &Row<'_>) -> rusqlite::Result<Read<LoggedOrder>> {
    read_row(Table::Orders, row.get(0)?, row, rows::order)
}

/// Walks down the log between the places that the times span: exact, even where a clock jumped.
fn listed(
    connection: &Connection,
    query: &OrderQuery,
    window: Window,
) -> rusqlite::Result<Vec<Listed<Order>>> {
    let (from, to) = (query.from.map(micros), query.to.map(micros));
    let (first, last) = rows::span(connection, query.from, query.to)?;
    let sql = format!(
        "SELECT {ORDER_COLUMNS} FROM orders \
         WHERE seq BETWEEN ?1 AND ?2 AND (?3 IS NULL OR +order_time >= ?3) \
         AND (?4 IS NULL OR +order_time < ?4) ORDER BY seq DESC LIMIT ?5"
    );
    let last = last.min(window.before.saturating_sub(1));
    all(connection.prepare_cached(&sql)?, params![first, last, from, to, window.rows()], |row| {
        let read = order(row)?.map(|logged| logged.order);
        Ok(Listed::of(row.get(0)?, row, "order_id", read))
    })
}

/// The most orders that are quarantined in one go.
const QUARANTINE_BATCH_SIZE: usize = 1_000;

#[async_trait]
impl OrderLog for Store {
    /// Those that cannot be read are quarantined before this answers: the relay may then pass them.
    async fn unpublished(&self, limit: usize) -> Result<Vec<LoggedOrder>, Error> {
        loop {
            let read =
                move |connection: &rusqlite::Connection| next_orders(connection, limit).map_err(unreadable);
            let (orders, unreadable) = self.read_for_work(read).await?;
            let many = unreadable.len() == QUARANTINE_BATCH_SIZE;
            self.quarantine_rows(unreadable).await?;
            // Else there are more behind those, and who asks takes few for all.
            if !many {
                return Ok(orders);
            }
        }
    }
}

fn next_orders(
    connection: &Connection,
    limit: usize,
) -> rusqlite::Result<(Vec<LoggedOrder>, Vec<Unreadable>)> {
    let sql = format!(
        "SELECT {ORDER_COLUMNS} FROM orders WHERE seq > (SELECT published_through FROM relay) \
         AND NOT EXISTS (SELECT 1 FROM quarantine WHERE of_table = 'orders' AND row = orders.seq) ORDER BY seq"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(())?;
    let (mut orders, mut unreadable_rows) = (Vec::new(), Vec::new());
    while orders.len() < limit
        && unreadable_rows.len() < QUARANTINE_BATCH_SIZE
        && let Some(row) = found.next()?
    {
        match read_row(Table::Orders, row.get(0)?, row, rows::order)? {
            Ok(order) => orders.push(order),
            Err(unreadable) => unreadable_rows.push(unreadable),
        }
    }
    Ok((orders, unreadable_rows))
}
