//! What the log and the metrics say of an attempt.

use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::Next;
use domain::subscription::SubscriptionId;

use crate::ports::{DueDelivery, Finished};

/// Tells that a subscription ends by itself.
pub(super) fn ended(delivery: &DueDelivery) {
    let (subscription_id, endpoint) = (delivery.subscription.id, delivery.subscription.endpoint.masked());
    tracing::warn!(%subscription_id, endpoint, "ended: its receiver wants nothing more");
}

/// Tells that a subscription was suspended by itself.
pub(super) fn suspended(subscription_id: SubscriptionId) {
    metrics::counter!("orderbell_subscriptions_suspended_total").increment(1);
    tracing::error!(%subscription_id, "suspended: nothing has got through for days");
}

/// Tells of an attempt that ended, once. Its timeline holds the same, and what was replied, which may repeat anything.
pub(super) fn attempt_ended(delivery: &DueDelivery, finished: &Finished) {
    let protocol = delivery.protocol();
    let outcome = finished.outcome.kind;
    metrics::counter!("orderbell_attempts_total", "protocol" => protocol.name(), "outcome" => outcome.name())
        .increment(1);
    if let Some(order) = delivery.order.as_ref().filter(|_| outcome.scope().is_none()) {
        let since_order = finished.at.duration_since(order.time).as_secs_f64().max(0.0);
        metrics::histogram!("orderbell_order_delivery_seconds", "protocol" => protocol.name())
            .record(since_order);
    }
    let order_id = delivery.order.as_ref().map(|order| order.id.to_string());
    let request_id = delivery.order.as_ref().map(|order| order.request_id.as_str());
    let endpoint = delivery.subscription.endpoint.masked();
    let (delivery_id, kind, number) = (finished.delivery, delivery.kind.name(), finished.number);
    let (outcome_name, scope) = (outcome.name(), outcome.scope().map(Scope::name));
    match outcome {
        OutcomeKind::Delivered | OutcomeKind::Sandboxed => tracing::info!(
            %delivery_id, kind, order_id, request_id, endpoint, number, outcome = outcome_name, "attempt succeeded"
        ),
        _ => tracing::warn!(
            %delivery_id, kind, order_id, request_id, endpoint, number, outcome = outcome_name, scope,
            status = finished.outcome.status, next = what_follows(finished.decision.next), "attempt failed"
        ),
    }
}

/// In a person's words, to the second.
fn what_follows(next: Next) -> String {
    match next {
        Next::Again(at) => format!("again at {at:.0}"),
        Next::Over(state) => state.name().replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::delivery::DeliveryState;

    use super::*;

    #[test]
    fn the_log_line_of_an_attempt_says_what_follows() {
        let at: Timestamp = "2026-01-31T12:00:05.123456Z".parse().unwrap();
        assert_eq!(what_follows(Next::Again(at)), "again at 2026-01-31T12:00:05Z");
        for (state, words) in [
            (DeliveryState::Delivered, "delivered"),
            (DeliveryState::Sandboxed, "sandboxed"),
            (DeliveryState::Held, "held"),
            (DeliveryState::Dead, "dead"),
            (DeliveryState::InFlight, "in flight"),
        ] {
            assert_eq!(what_follows(Next::Over(state)), words);
        }
    }
}
