//! Recording attempts before they are made.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use application::ports::Intent;
use domain::delivery::DeliveryId;
use domain::subscription::CONFIRMATION_LIFETIME;
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::micros;
use crate::delivery_queue::next_due::refresh_each;
use crate::failure::Failure;
use crate::orders::spam::IS_SPAM;

/// Not if the subscription was suspended since the caller looked: then the delivery waits. Nor if the order is spam: then
/// it is cancelled soon.
static TAKE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE deliveries SET state = 'in_flight', attempts = ?2, at = ?3 \
         WHERE id = ?1 AND state = 'pending' AND attempts = ?2 - 1 AND (SELECT subscriptions.state FROM subscriptions \
         WHERE subscriptions.seq = subscription) IN ('confirmed', iif(kind = 'confirmation', 'pending', 'confirmed')) \
         AND NOT {IS_SPAM} RETURNING seq, kind = 'confirmation' AND attempts_used = 0, subscription"
    )
});
/// As the domain has it: [`Subscription::asked`](domain::subscription::Subscription::asked).
const ASK: &str =
    "UPDATE subscriptions SET confirmation_expires_at = max(confirmation_expires_at, ?2) WHERE seq = ?1";
const RECORD: &str = "INSERT INTO attempts (delivery, number, started_at) VALUES (?, ?, ?)";

pub(crate) fn begin(connection: &Connection, intents: &[Intent]) -> Result<Vec<DeliveryId>, Failure> {
    let mut take = connection.prepare_cached(&TAKE)?;
    let mut record = connection.prepare_cached(RECORD)?;
    let mut begun = Vec::with_capacity(intents.len());
    let mut subscriptions = BTreeSet::new();
    for Intent { delivery, number, at } in intents {
        let taken = take.query_row(params![delivery.0.as_bytes(), number, micros(*at)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, i64>(2)?))
        });
        let Some((seq, asks_anew, subscription)) = taken.optional()? else { continue };
        record.execute(params![seq, number, micros(*at)])?;
        if asks_anew {
            let expires_at = micros(*at + CONFIRMATION_LIFETIME);
            connection.prepare_cached(ASK)?.execute([subscription, expires_at])?;
        }
        begun.push(*delivery);
        subscriptions.insert(subscription);
    }
    refresh_each(connection, subscriptions)?;
    Ok(begun)
}
