//! Recording attempts before they are made.

use application::ports::Intent;
use rusqlite::{Connection, OptionalExtension, params};

use super::Answer;
use crate::columns::micros;
use crate::failure::Failure;

/// Not if the subscription was suspended since the caller looked: then the delivery waits.
const TAKE: &str = "UPDATE deliveries SET state = 'in_flight', attempts = ?2, at = ?3 \
     WHERE id = ?1 AND state = 'pending' AND attempts = ?2 - 1 AND (SELECT subscriptions.state FROM subscriptions \
     WHERE subscriptions.seq = subscription) IN ('confirmed', iif(kind = 'confirmation', 'pending', 'confirmed')) \
     RETURNING seq";
const RECORD: &str = "INSERT INTO attempts (delivery, number, started_at) VALUES (?, ?, ?)";

pub(super) fn begin(connection: &Connection, intents: &[Intent]) -> Result<Answer, Failure> {
    let mut take = connection.prepare_cached(TAKE)?;
    let mut record = connection.prepare_cached(RECORD)?;
    let mut begun = Vec::with_capacity(intents.len());
    for Intent { delivery, number, at } in intents {
        let at = micros(*at);
        let seq: Option<i64> =
            take.query_row(params![delivery.0.as_bytes(), number, at], |row| row.get(0)).optional()?;
        if let Some(seq) = seq {
            record.execute(params![seq, number, at])?;
            begun.push(*delivery);
        }
    }
    Ok(Answer::Begun(begun))
}
