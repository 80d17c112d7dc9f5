//! Storing an order, once for its idempotency key.

use application::ports::{Acceptance, Idempotency};
use domain::Timestamp;
use domain::order::OrderId;
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::{self, micros};
use crate::failure::Failure;
use crate::orders::known_keys::KnownKeys;
use crate::orders::known_keys::{Hashes, KeyEntry, hashes};
use crate::write::Transaction;

/// An order to store.
#[derive(Debug)]
pub(crate) struct Accept {
    pub(crate) id: OrderId,
    pub(crate) time: Timestamp,
    /// Its details as JSON.
    pub(crate) body: String,
    pub(crate) request_id: String,
    pub(crate) key: Option<Hashed>,
}

/// A key with the hashes that it is looked up by: whoever asks computes that, not the one thread that writes.
#[derive(Debug)]
pub(crate) struct Hashed {
    idempotency: Idempotency,
    pub(crate) hashes: Hashes,
}

impl From<Idempotency> for Hashed {
    fn from(idempotency: Idempotency) -> Self {
        let Idempotency { scope, key, fingerprint, client_digest, .. } = &idempotency;
        let client_digest = client_digest.as_ref().map(<[u8; 16]>::as_slice);
        let hashes = hashes(scope.as_bytes(), key.as_str().as_bytes(), fingerprint, client_digest);
        Self { idempotency, hashes }
    }
}

const INSERT: &str = "INSERT INTO orders (seq, id, order_time, body, request_id) VALUES (?, ?, ?, ?, ?)";
const INSERT_KEY: &str = "INSERT INTO idempotency_keys (order_seq, ends_at, scope, key, fingerprint, client_digest) \
     VALUES (?, ?, ?, ?, ?, ?)";

/// Stores it, unless it is stored under its key already. Should this fail, nothing of it stays: SQLite undoes the
/// statement that stores an order by itself.
pub(crate) fn accept(transaction: &mut Transaction<'_>, order: &Accept) -> Result<Acceptance, Failure> {
    let Transaction { connection, keys, last_seq, effects, .. } = transaction;
    if let Some(key) = &order.key
        && let Some(acceptance) = earlier(connection, keys, key, micros(order.time))?
    {
        return Ok(acceptance);
    }
    let seq = **last_seq + 1;
    connection.prepare_cached(INSERT)?.execute(params![
        seq,
        order.id.0.as_bytes(),
        micros(order.time),
        order.body,
        order.request_id,
    ])?;
    if let Some(key) = &order.key {
        remember(connection, keys, key, seq, micros(order.time))?;
    }
    **last_seq = seq;
    effects.orders = true;
    Ok(Acceptance::Stored)
}

/// What an earlier order under a live key of the same name answers: the same one first, from wherever it came; then
/// another one of the same caller, or from the same place.
fn earlier(
    connection: &Connection,
    keys: &KnownKeys,
    Hashed { idempotency: wanted, hashes }: &Hashed,
    now: i64,
) -> rusqlite::Result<Option<Acceptance>> {
    for hash in hashes.iter().flatten() {
        for place in keys.candidates(connection, *hash, now)? {
            let found = keyed(connection, place, &wanted.scope, wanted.key.as_str())?;
            let Some(found) = found.filter(|found| found.ends_at > now) else { continue };
            if found.fingerprint == wanted.fingerprint {
                return Ok(Some(Acceptance::Repeated(found.id)));
            }
            if found.client_digest.as_deref() == wanted.client_digest.as_ref().map(<[u8; 16]>::as_slice) {
                return Ok(Some(Acceptance::KeyReused(found.id)));
            }
        }
    }
    Ok(None)
}

struct Keyed {
    id: OrderId,
    ends_at: i64,
    fingerprint: Vec<u8>,
    client_digest: Option<Vec<u8>>,
}

/// The order at a place, if it really has this key.
fn keyed(
    connection: &Connection,
    place: KeyEntry,
    scope: &str,
    key: &str,
) -> rusqlite::Result<Option<Keyed>> {
    let sql = "SELECT id, ends_at, fingerprint, client_digest FROM idempotency_keys JOIN orders ON orders.seq = order_seq \
               WHERE order_seq = ? AND scope = ? AND key = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![place.order, scope, key], |row| {
        let id = OrderId(columns::uuid(row, "id")?);
        let (ends_at, fingerprint) = (row.get("ends_at")?, row.get("fingerprint")?);
        Ok(Keyed { id, ends_at, fingerprint, client_digest: row.get("client_digest")? })
    });
    found.optional()
}

/// Stores the key of the order that was just stored at `seq`.
fn remember(
    connection: &Connection,
    keys: &mut KnownKeys,
    key: &Hashed,
    seq: i64,
    now: i64,
) -> rusqlite::Result<()> {
    match store_key(connection, keys, &key.idempotency, seq, now) {
        Ok(period) => {
            for hash in key.hashes.iter().flatten() {
                keys.remember(KeyEntry { period, hash: *hash, order: seq }, now);
            }
        }
        Err(error) => {
            // SQLite undid that statement. An order and its key are stored together or not at all.
            if !connection.is_autocommit() {
                connection.execute("DELETE FROM orders WHERE seq = ?", [seq])?;
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Inserts the key of an order; answers its period.
fn store_key(
    connection: &Connection,
    keys: &mut KnownKeys,
    Idempotency { scope, key, fingerprint, client_digest, lifetime }: &Idempotency,
    seq: i64,
    now: i64,
) -> rusqlite::Result<i64> {
    let lifetime = i64::try_from(lifetime.as_micros()).unwrap_or(i64::MAX);
    let ends_at = now.saturating_add(lifetime);
    let period = keys.period(connection, seq, ends_at, lifetime)?;
    let values = params![seq, ends_at, scope, key.as_str(), fingerprint, client_digest];
    connection.prepare_cached(INSERT_KEY)?.execute(values)?;
    Ok(period)
}
