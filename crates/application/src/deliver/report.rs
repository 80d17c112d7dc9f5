//! What the log and the metrics say of an attempt.

use domain::attempt::OutcomeKind;

use crate::ports::{DueDelivery, Finished};

/// Tells of an attempt that ended, once: its timeline holds the same.
pub(super) fn attempt_ended(delivery: &DueDelivery, finished: &Finished) {
    let protocol = delivery.protocol();
    let outcome = finished.outcome.kind;
    metrics::counter!("orderbell_attempts_total", "protocol" => protocol.name(), "outcome" => outcome.name())
        .increment(1);
    let (order_id, request_id) = match &delivery.order {
        Some(order) => (order.id.to_string(), order.request_id.as_str()),
        None => (String::new(), ""),
    };
    let endpoint = delivery.subscription.endpoint.masked();
    let (delivery_id, kind, number) = (finished.delivery, delivery.kind.name(), finished.number);
    let (outcome_name, reply) = (outcome.name(), finished.outcome.reply.as_str());
    match outcome {
        OutcomeKind::Delivered | OutcomeKind::Sandboxed => tracing::info!(
            %delivery_id, kind, order_id, request_id, endpoint, number, outcome = outcome_name, "delivered"
        ),
        _ => tracing::warn!(
            %delivery_id, kind, order_id, request_id, endpoint, number, outcome = outcome_name, reply,
            next = ?finished.decision.next, "attempt failed"
        ),
    }
}
