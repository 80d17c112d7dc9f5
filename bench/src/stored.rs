//! What a store holds before something is measured, written past the program: it would take minutes to take so much itself.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use serde_json::json;
use uuid::Uuid;

/// The store in a data folder.
const FILE: &str = "orderbell.db";
/// The product of the orders that someone is to be told of.
pub(crate) const WAITING_PRODUCT: &str = "Wireless Mouse";
/// Of a large store's orders, one in so many is of that product, and was told.
pub(crate) const TOLD: usize = 100;
/// How far apart the orders of a large store are, in microseconds.
const DISTANCE: i64 = 250_000;
/// The page cache while a large store is written, in KiB.
const CACHE: i64 = 262_144;

const ORDER: &str = "INSERT INTO orders (id, order_time, body, request_id) VALUES (?1, ?2, ?3, 'bench')";

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
    let body = json!({"customerName": "Ada Lovelace", "productName": WAITING_PRODUCT}).to_string();
    let deliveries = "INSERT INTO deliveries (id, kind, subscription, order_seq, state, created_at, at) \
                      SELECT randomblob(16), 'notification', seq, ?1, 'pending', ?2, ?3 FROM subscriptions \
                      WHERE state = 'confirmed'";
    for number in 0..orders {
        transaction.prepare_cached(ORDER)?.execute((id(now, number), now, &body))?;
        let seq = transaction.last_insert_rowid();
        transaction.prepare_cached(deliveries)?.execute((seq, now, at))?;
    }
    publish(&transaction)?;
    Ok(transaction.commit()?)
}

/// A store with many orders: its newest is of now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Large {
    orders: usize,
    newest: i64,
}

impl Large {
    /// Writes so many orders into the store of a data folder; of one in [`TOLD`] its confirmed endpoints were told.
    ///
    /// # Errors
    /// The store is not as the program makes it, or the disk is full.
    pub(crate) fn write(data: &Path, orders: usize) -> Result<Self> {
        let large = Self { orders, newest: Timestamp::now().as_microsecond() };
        let mut store = open(data)?;
        // Else everything would be written twice, once into the log.
        store.pragma_update(None, "journal_mode", "off")?;
        store.pragma_update(None, "synchronous", "off")?;
        store.pragma_update(None, "cache_size", -CACHE)?;
        let transaction = store.transaction()?;
        (0..orders).try_for_each(|number| large.write_order(&transaction, number))?;
        publish(&transaction)?;
        transaction.commit()?;
        store.pragma_update(None, "journal_mode", "wal")?;
        // Else the system would go on writing while something is measured.
        File::open(data.join(FILE))?.sync_all()?;
        Ok(large)
    }

    fn write_order(&self, transaction: &Transaction<'_>, number: usize) -> Result<()> {
        let product = if number.is_multiple_of(TOLD) { WAITING_PRODUCT } else { "Mechanical keyboard" };
        let body = format!(r#"{{"customerName":"Customer {number:012}","productName":"{product}"}}"#);
        let at = self.time(number);
        transaction.prepare_cached(ORDER)?.execute((id(at, number), at, body))?;
        if number.is_multiple_of(TOLD) {
            let seq = transaction.last_insert_rowid();
            let delivery = "INSERT INTO deliveries \
                            (id, kind, subscription, order_seq, state, created_at, at, attempts, attempts_used) \
                            SELECT ?1, 'notification', seq, ?2, 'delivered', ?3, ?3, 1, 1 FROM subscriptions \
                            WHERE state = 'confirmed'";
            transaction.prepare_cached(delivery)?.execute((id(at + 1, number), seq, at))?;
            let attempt = "INSERT INTO attempts \
                           (delivery, number, started_at, ended_at, outcome, used, reply, status) \
                           VALUES (?1, 1, ?2, ?2, 'delivered', 1, '200 OK', 200)";
            transaction.prepare_cached(attempt)?.execute((transaction.last_insert_rowid(), at))?;
        }
        Ok(())
    }

    /// When the order of that number was placed, in microseconds.
    fn time(&self, number: usize) -> i64 {
        let back = i64::try_from(self.orders - 1 - number).unwrap_or(i64::MAX);
        self.newest.saturating_sub(back.saturating_mul(DISTANCE))
    }

    /// How many orders it has.
    pub(crate) fn orders(&self) -> usize {
        self.orders
    }

    /// The id of the order of that number, as a path has it.
    pub(crate) fn order_id(&self, number: usize) -> String {
        Uuid::from_bytes(id(self.time(number), number)).to_string()
    }

    /// When the order of that number was placed, as a query has it.
    ///
    /// # Errors
    /// It is a time that there is not.
    pub(crate) fn order_time(&self, number: usize) -> Result<String> {
        Ok(Timestamp::from_microsecond(self.time(number))?.to_string())
    }
}

/// A UUID of version 7 that no other number has at that time, in microseconds.
fn id(at: i64, number: usize) -> [u8; 16] {
    let milliseconds = u128::try_from(at / 1_000).unwrap_or_default();
    let rest = u128::try_from(number).unwrap_or_default();
    ((milliseconds << 80) | (0x7 << 76) | (0b10 << 62) | rest).to_be_bytes()
}

fn publish(transaction: &Transaction<'_>) -> Result<()> {
    transaction.execute("UPDATE relay SET published_through = (SELECT max(seq) FROM orders)", ())?;
    Ok(())
}

/// Writes so many recipients of mail into the store of a data folder, each confirmed before its first order.
///
/// # Errors
/// The store is not as the program makes it.
pub(crate) fn confirm_mail(data: &Path, recipients: usize) -> Result<()> {
    let mut store = open(data)?;
    let transaction = store.transaction()?;
    let subscription = "INSERT INTO subscriptions (id, protocol, endpoint, receives, state, generation, created_at, \
                        confirmation_expires_at, confirmed_at, confirmed_in_sandbox) \
                        VALUES (randomblob(16), 'email', ?1, 'orders', 'confirmed', 1, 0, 0, 0, 0)";
    let version =
        "INSERT INTO subscription_versions (subscription, from_seq, state) VALUES (?1, 1, 'confirmed')";
    for number in 0..recipients {
        let address = format!("recipient{number}@example.com");
        transaction.prepare_cached(subscription)?.execute([address])?;
        let seq = transaction.last_insert_rowid();
        transaction.prepare_cached(version)?.execute([seq])?;
    }
    Ok(transaction.commit()?)
}

/// Opens the store of a data folder.
fn open(data: &Path) -> Result<Connection> {
    Connection::open(data.join(FILE)).context("the store")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_of_a_large_store_has_an_id_of_its_time() {
        let large = Large { orders: 3, newest: 1_700_000_000_000_000 };
        assert_eq!(large.order_time(2).unwrap(), "2023-11-14T22:13:20Z");
        assert_eq!(large.order_time(1).unwrap(), "2023-11-14T22:13:19.75Z");
        // 1,700,000,000,000 ms are 0x18bcfe56800.
        assert_eq!(large.order_id(2), "018bcfe5-6800-7000-8000-000000000002");
        assert!(large.order_id(0) < large.order_id(1));
    }
}
