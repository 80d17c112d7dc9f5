//! Storing an order, once for its idempotency key.

use std::time::Duration;

use application::ports::{Acceptance, Idempotency};
use domain::Timestamp;
use domain::order::OrderId;
use rusqlite::{Connection, params};

use super::{Answer, Effects, KnownKeys, State};
use crate::columns::{self, micros};
use crate::failure::Failure;
use crate::rows;

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

const INSERT: &str = "INSERT INTO orders (seq, id, order_time, body, request_id, idempotency_scope, idempotency_key, \
     idempotency_fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

pub(super) fn accept(state: &mut State, effects: &mut Effects, order: &Accept) -> Result<Answer, Failure> {
    let State { connection, keys, last_place, .. } = state;
    let now = micros(order.time);
    let idempotency = order.idempotency.as_ref();
    if let Some(idempotency) = idempotency
        && let Some(acceptance) = earlier(connection, keys, idempotency, now)?
    {
        return Ok(Answer::Accepted(acceptance));
    }
    let seq = *last_place + 1;
    connection.prepare_cached(INSERT)?.execute(params![
        seq,
        order.id.0.as_bytes(),
        now,
        order.body,
        order.request_id,
        idempotency.map(|idempotency| &idempotency.scope),
        idempotency.map(|idempotency| idempotency.key.as_str()),
        idempotency.map(|idempotency| &idempotency.fingerprint),
    ])?;
    *last_place = seq;
    if let Some(Idempotency { scope, key, lifetime, .. }) = idempotency {
        let ends_at = now.saturating_add(duration_micros(*lifetime));
        keys.remember(keys.hash(scope, key.as_str()), seq, now, ends_at);
    }
    effects.orders = true;
    Ok(Answer::Accepted(Acceptance::Stored))
}

/// What an earlier order under a live key of the same name answers.
fn earlier(
    connection: &Connection,
    keys: &mut KnownKeys,
    wanted: &Idempotency,
    now: i64,
) -> rusqlite::Result<Option<Acceptance>> {
    let hash = keys.hash(&wanted.scope, wanted.key.as_str());
    for seq in keys.candidates(hash) {
        let Some(found) = keyed(connection, seq, &wanted.scope, wanted.key.as_str())? else { continue };
        if found.time.saturating_add(duration_micros(wanted.lifetime)) <= now {
            keys.forget(hash, seq);
        } else if found.fingerprint == wanted.fingerprint {
            return Ok(Some(Acceptance::Repeated(found.id)));
        } else {
            return Ok(Some(Acceptance::KeyReused));
        }
    }
    Ok(None)
}

struct Keyed {
    id: OrderId,
    time: i64,
    fingerprint: Vec<u8>,
}

/// The order at `seq`, if it really has this key.
fn keyed(connection: &Connection, seq: i64, scope: &str, key: &str) -> rusqlite::Result<Option<Keyed>> {
    let sql = "SELECT id, order_time, idempotency_fingerprint FROM orders \
               WHERE seq = ? AND idempotency_scope = ? AND idempotency_key = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![seq, scope, key])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let id = OrderId(columns::uuid(row, "id")?);
    Ok(Some(Keyed { id, time: row.get("order_time")?, fingerprint: row.get("idempotency_fingerprint")? }))
}

/// The keys that may live at `now`, read back from the orders of the last `lifetime`.
pub(crate) fn remembered(
    connection: &Connection,
    now: Timestamp,
    lifetime: Duration,
) -> rusqlite::Result<KnownKeys> {
    let oldest = now.checked_sub(lifetime).ok();
    let (mut keys, now, lifetime) = (KnownKeys::default(), micros(now), duration_micros(lifetime));
    let (first, last) = rows::span(connection, oldest, None)?;
    let sql = "SELECT seq, order_time, idempotency_scope, idempotency_key FROM orders \
               WHERE seq BETWEEN ? AND ? AND order_time > ? AND idempotency_key IS NOT NULL ORDER BY seq";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([first, last, now.saturating_sub(lifetime)])?;
    while let Some(row) = rows.next()? {
        let (seq, time): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (scope, key) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
        let hash = keys.hash(scope, key);
        // Only the newest order under a key counts, should there be several.
        for older in keys.candidates(hash) {
            if keyed(connection, older, scope, key)?.is_some() {
                keys.forget(hash, older);
            }
        }
        keys.remember(hash, seq, now, time.saturating_add(lifetime));
    }
    keys.committed();
    Ok(keys)
}

fn duration_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
