//! Which of the deliveries in a state a person means, as a condition of a statement.

use application::ports::DeliveryFilter;
use domain::endpoint::Protocol;

use crate::columns::micros;

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
