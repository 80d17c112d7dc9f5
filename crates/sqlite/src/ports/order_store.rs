//! Orders: stored by the writer, read newest first.

use application::Error;
use application::ports::{Acceptance, Idempotency, OrderQuery, OrderStore, Page, Readiness};
use async_trait::async_trait;
use domain::order::{Order, OrderId};
use rusqlite::{Connection, OptionalExtension};

use super::all;
use crate::Store;
use crate::apply::{Accept, Command};
use crate::columns::micros;
use crate::failure::unreadable;
use crate::paging::Window;
use crate::rows::{self, ORDER_COLUMNS};

#[async_trait]
impl OrderStore for Store {
    async fn accept(&self, order: Order, idempotency: Option<Idempotency>) -> Result<Acceptance, Error> {
        let body = serde_json::to_string(&order.details).map_err(Error::internal)?;
        let Order { id, time, request_id, .. } = order;
        self.take_order(Command::Accept(Accept { id, time, body, request_id, idempotency })).await?.accepted()
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, Error> {
        self.read(move |connection| {
            let sql = format!("SELECT {ORDER_COLUMNS} FROM orders WHERE id = ?");
            let mut statement = connection.prepare_cached(&sql).map_err(unreadable)?;
            let order = statement.query_row([id.0.as_bytes()], rows::order).optional().map_err(unreadable)?;
            Ok(order.map(|logged| logged.order))
        })
        .await
    }

    async fn orders(&self, query: OrderQuery) -> Result<Page<Order>, Error> {
        let window = Window::of(&query.page)?;
        self.read(move |connection| page(connection, &query, window).map_err(unreadable)).await
    }

    async fn ready(&self) -> Result<Readiness, Error> {
        self.takes_orders()
    }
}

/// Walks down the log between the places that the times span: exact, even where a clock leapt.
fn page(connection: &Connection, query: &OrderQuery, window: Window) -> rusqlite::Result<Page<Order>> {
    let from = query.from.map_or(i64::MIN, micros);
    let to = query.to.map_or(i64::MAX, micros);
    let (first, last) = rows::span(connection, query.from, query.to)?;
    let sql = format!(
        "SELECT {ORDER_COLUMNS} FROM orders \
         WHERE seq BETWEEN ?1 AND ?2 AND +order_time >= ?3 AND +order_time < ?4 ORDER BY seq DESC LIMIT ?5"
    );
    let last = last.min(window.before.saturating_sub(1));
    let found = all(connection.prepare_cached(&sql)?, [first, last, from, to, window.rows()], rows::order)?;
    Ok(window.page(found.into_iter().map(|logged| (logged.seq.0, logged.order)).collect()))
}
