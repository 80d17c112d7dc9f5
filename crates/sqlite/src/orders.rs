//! Orders: stored by the writer, listed in pages, and read as a log from the first unpublished one on.

pub(crate) mod accept;
pub(crate) mod known_keys;
mod pages;
pub(crate) mod spam;
pub(crate) mod status;
pub(crate) mod time_span;

use application::Error;
use application::ports::{Acceptance, Idempotency, OrderLog, OrderQuery, OrderStore, Page, Readiness};
use async_trait::async_trait;
use domain::order::{LoggedOrder, Order, OrderId};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::Store;
use crate::failure::unreadable;
use crate::orders::accept::{Accept, Hashed, accept};
use crate::paging::Window;
use crate::rows::{self, ORDER_COLUMNS};
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
        self.read_quarantining(move |connection| pages::page(connection, &query, window)).await
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
