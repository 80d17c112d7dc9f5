//! Storing an order, once for its idempotency key.

use application::ports::{Acceptance, Idempotency};
use domain::Timestamp;
use domain::order::OrderId;
use rusqlite::{Connection, OptionalExtension, params};

use super::known_keys::{Place, hash, period_of};
use super::{Answer, Effects, KnownKeys, State};
use crate::columns::{self, micros};
use crate::failure::Failure;

/// An order to be stored.
#[derive(Debug)]
pub(crate) struct Accept {
    pub(crate) id: OrderId,
    pub(crate) time: Timestamp,
    /// Its details as JSON.
    pub(crate) body: String,
    pub(crate) request_id: String,
    pub(crate) idempotency: Option<Idempotency>,
}

const INSERT: &str = "INSERT INTO orders (seq, id, order_time, body, request_id) VALUES (?, ?, ?, ?, ?)";
const INSERT_KEY: &str = "INSERT INTO idempotency_keys (period, order_seq, ends_at, scope, key, fingerprint) \
     VALUES (?, ?, ?, ?, ?, ?)";

pub(super) fn accept(state: &mut State, effects: &mut Effects, order: &Accept) -> Result<Answer, Failure> {
    let State { connection, keys, last_place, .. } = state;
    let key = order.idempotency.as_ref().map(|key| (key, hash(&key.scope, key.key.as_str())));
    if let Some((key, hash)) = key
        && let Some(acceptance) = earlier(connection, keys, key, hash, micros(order.time))?
    {
        return Ok(Answer::Accepted(acceptance));
    }
    let seq = *last_place + 1;
    connection.prepare_cached(INSERT)?.execute(params![
        seq,
        order.id.0.as_bytes(),
        micros(order.time),
        order.body,
        order.request_id,
    ])?;
    if let Some((key, hash)) = key {
        remember(connection, keys, key, hash, seq, micros(order.time))?;
    }
    *last_place = seq;
    effects.orders = true;
    Ok(Answer::Accepted(Acceptance::Stored))
}

/// What an earlier order under a live key of the same name answers.
fn earlier(
    connection: &Connection,
    keys: &KnownKeys,
    wanted: &Idempotency,
    hash: i64,
    now: i64,
) -> rusqlite::Result<Option<Acceptance>> {
    for place in keys.candidates(connection, hash, now)? {
        let Some(found) = keyed(connection, place, &wanted.scope, wanted.key.as_str())? else { continue };
        if found.ends_at > now {
            let same = found.fingerprint == wanted.fingerprint;
            return Ok(Some(if same { Acceptance::Repeated(found.id) } else { Acceptance::KeyReused }));
        }
    }
    Ok(None)
}

struct Keyed {
    id: OrderId,
    ends_at: i64,
    fingerprint: Vec<u8>,
}

/// The order at a place, if it really has this key.
fn keyed(connection: &Connection, place: Place, scope: &str, key: &str) -> rusqlite::Result<Option<Keyed>> {
    let sql = "SELECT id, ends_at, fingerprint FROM idempotency_keys JOIN orders ON orders.seq = order_seq \
               WHERE period = ? AND order_seq = ? AND scope = ? AND key = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![place.period, place.order, scope, key], |row| {
        let id = OrderId(columns::uuid(row, "id")?);
        Ok(Keyed { id, ends_at: row.get("ends_at")?, fingerprint: row.get("fingerprint")? })
    });
    found.optional()
}

/// Stores the key of the order that was just stored at `seq`.
fn remember(
    connection: &Connection,
    keys: &mut KnownKeys,
    Idempotency { scope, key, fingerprint, lifetime }: &Idempotency,
    hash: i64,
    seq: i64,
    now: i64,
) -> rusqlite::Result<()> {
    let lifetime = i64::try_from(lifetime.as_micros()).unwrap_or(i64::MAX);
    let ends_at = now.saturating_add(lifetime);
    let period = period_of(ends_at, lifetime);
    let values = params![period, seq, ends_at, scope, key.as_str(), fingerprint];
    if let Err(error) = connection.prepare_cached(INSERT_KEY)?.execute(values) {
        // SQLite undid this statement. An order and its key are stored together or not at all.
        if !connection.is_autocommit() {
            connection.execute("DELETE FROM orders WHERE seq = ?", [seq])?;
        }
        return Err(error);
    }
    keys.remember(Place { period, hash, order: seq }, now);
    Ok(())
}
