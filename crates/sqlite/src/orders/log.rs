//! The orders as a log.

use application::Error;
use application::ports::OrderLog;
use async_trait::async_trait;
use domain::order::LoggedOrder;
use rusqlite::Connection;

use crate::Store;
use crate::failure::unreadable;
use crate::rows::{self, ORDER_COLUMNS};
use crate::unreadable::{Table, Unreadable, read_row};

/// The most orders that are set aside in one go.
const SET_ASIDE_AT_ONCE: usize = 1_000;

#[async_trait]
impl OrderLog for Store {
    /// Those that cannot be read are set aside before this answers: the relay may then pass them.
    async fn unpublished(&self, limit: usize) -> Result<Vec<LoggedOrder>, Error> {
        loop {
            let read =
                move |connection: &rusqlite::Connection| next_orders(connection, limit).map_err(unreadable);
            let (orders, senseless) = self.read_for_work(read).await?;
            let many = senseless.len() == SET_ASIDE_AT_ONCE;
            self.set_aside_rows(senseless).await?;
            if !orders.is_empty() || !many {
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
         AND NOT EXISTS (SELECT 1 FROM set_aside WHERE of_table = 'orders' AND row = orders.seq) ORDER BY seq"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(())?;
    let (mut orders, mut senseless) = (Vec::new(), Vec::new());
    while orders.len() < limit
        && senseless.len() < SET_ASIDE_AT_ONCE
        && let Some(row) = found.next()?
    {
        match read_row(Table::Orders, row.get(0)?, row, rows::order)? {
            Ok(order) => orders.push(order),
            Err(unreadable) => senseless.push(unreadable),
        }
    }
    Ok((orders, senseless))
}
