//! Idempotency keys: each belongs to an order, and is found while it lives.

use domain::Timestamp;
use domain::order::OrderId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::exception::{Exception, ExceptionKind, Findings};
use crate::columns::{self, micros};
use crate::orders::known_keys::read_hashes;

const KEYS: &str = "SELECT order_seq, ends_at, scope, key, fingerprint, client_digest, orders.id, orders.seq IS NULL AS order_gone, \
     (SELECT period FROM idempotency_periods WHERE first_order <= order_seq ORDER BY first_order DESC LIMIT 1) \
     AS period FROM idempotency_keys LEFT JOIN orders ON orders.seq = order_seq ORDER BY order_seq";

pub(super) fn check(
    snapshot: &Connection,
    now: Timestamp,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<()> {
    // Without a marker, the program looks at every key at its start.
    let flushed = snapshot
        .query_row("SELECT flushed_through FROM idempotency", (), |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    let mut statement = snapshot.prepare(KEYS)?;
    let mut keys = statement.query(())?;
    while let Some(row) = keys.next()? {
        let (place, ends_at): (i64, i64) = (row.get("order_seq")?, row.get("ends_at")?);
        if ends_at <= micros(now) {
            continue;
        }
        if row.get("order_gone")? {
            let wrong = format!("its order (place {place}) is gone, and an idempotency key of it is left");
            findings.add(Exception::new(ExceptionKind::DanglingReference, wrong));
        } else if place <= flushed && !is_found(snapshot, row)? {
            let wrong =
                format!("the key of the order (place {place}) is not found: a retry is another order");
            let order = columns::uuid(row, "id").ok().map(OrderId);
            findings.add(Exception::new(ExceptionKind::KeyNotFound, wrong).order(order));
        }
    }
    Ok(())
}

fn is_found(snapshot: &Connection, key: &Row<'_>) -> rusqlite::Result<bool> {
    let (period, place): (Option<i64>, i64) = (key.get("period")?, key.get("order_seq")?);
    let sql =
        "SELECT EXISTS (SELECT 1 FROM idempotency_hashes WHERE period = ? AND hash = ? AND order_seq = ?)";
    for hash in read_hashes(key)?.iter().flatten() {
        if !snapshot.prepare_cached(sql)?.query_row(params![period, hash, place], |row| row.get(0))? {
            return Ok(false);
        }
    }
    Ok(true)
}
