//! What a store holds before something is measured, written past the program: it would take minutes to take so much itself.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;

/// When what waits is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// As soon as the program runs.
    Now,
    /// In a day: not while anything is measured.
    Tomorrow,
}

/// Writes so many orders into the store of a data folder, of each of which every confirmed endpoint is to be told.
///
/// # Errors
/// The store is not as the program makes it.
pub(crate) fn let_wait(data: &Path, orders: usize, due: Due) -> Result<()> {
    let mut store = open(data)?;
    let transaction = store.transaction()?;
    let now = Timestamp::now().as_microsecond();
    let at = match due {
        Due::Now => now,
        Due::Tomorrow => now + 86_400_000_000,
    };
    let body =
        json!({"customerName": "Ada Lovelace", "productName": "Wireless Mouse", "quantity": 1}).to_string();
    let order =
        "INSERT INTO orders (id, order_time, body, request_id) VALUES (randomblob(16), ?1, ?2, 'bench')";
    let deliveries = "INSERT INTO deliveries (id, kind, subscription, order_seq, state, created_at, at) \
                      SELECT randomblob(16), 'notification', seq, ?1, 'pending', ?2, ?3 FROM subscriptions \
                      WHERE state = 'confirmed'";
    for _ in 0..orders {
        transaction.prepare_cached(order)?.execute((now, &body))?;
        let seq = transaction.last_insert_rowid();
        transaction.prepare_cached(deliveries)?.execute((seq, now, at))?;
    }
    transaction.execute("UPDATE relay SET published_through = (SELECT max(seq) FROM orders)", ())?;
    Ok(transaction.commit()?)
}

/// Opens the store of a data folder.
fn open(data: &Path) -> Result<Connection> {
    Connection::open(data.join("orderbell.db")).context("the store")
}
