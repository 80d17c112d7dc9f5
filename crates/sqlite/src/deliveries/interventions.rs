//! What people do to deliveries: which they mean, as a condition of a statement, and the record of it.

use application::ports::{DeliveryFilter, InterventionKind};
use domain::Timestamp;
use domain::endpoint::Protocol;
use rusqlite::{Connection, params};

use crate::columns::micros;

/// With the state that it puts an end to: the delivery's row is about to lose that.
const INSERT_INTERVENTION: &str = "INSERT INTO interventions (delivery, number, kind, at, state_before, since) \
     SELECT seq, 1 + coalesce((SELECT max(number) FROM interventions WHERE delivery = ?1), 0), ?2, ?3, state, at \
     FROM deliveries WHERE seq = ?1";

/// Records what is about to be done to each of these, which are given by their `seq`.
pub(crate) fn record(
    connection: &Connection,
    deliveries: &[i64],
    kind: InterventionKind,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut record = connection.prepare_cached(INSERT_INTERVENTION)?;
    for seq in deliveries {
        record.execute(params![seq, kind.name(), micros(now)])?;
    }
    Ok(())
}

/// The condition, over deliveries and their subscriptions, with [`parameters`] as its parameters 1 to 4.
pub(crate) const FILTER: &str = "(?1 IS NULL OR subscriptions.id = ?1) AND (?2 IS NULL OR protocol = ?2) \
     AND deliveries.created_at >= ?3 AND deliveries.created_at < ?4";

/// What the condition is given.
pub(crate) fn parameters(filter: &DeliveryFilter) -> (Option<[u8; 16]>, Option<&'static str>, i64, i64) {
    let DeliveryFilter { subscription, protocol, from, before } = filter;
    (
        subscription.map(|id| id.0.into_bytes()),
        protocol.map(Protocol::name),
        from.map_or(i64::MIN, micros),
        before.map_or(i64::MAX, micros),
    )
}
