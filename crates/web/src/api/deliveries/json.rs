//! What a delivery looks like in answers.

use application::ports::{AttemptRecord, DeliveryRecord, InterventionRecord, ReceiptRecord, UnreadableRow};
use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryId, WaitReason};
use domain::notice::Notice;
use domain::order::OrderId;
use domain::subscription::SubscriptionId;
use serde::Serialize;

/// A delivery with its attempts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryJson<'a> {
    delivery_id: DeliveryId,
    kind: &'static str,
    subscription_id: SubscriptionId,
    protocol: &'static str,
    endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    state: &'static str,
    created_at: Timestamp,
    /// What it waits for, while it is pending and not simply due.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_because: Option<&'static str>,
    /// Why the channel that it waits for is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause_reason: Option<&'a str>,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<&'static str>,
    /// When it is tried next, while it is pending; when it came to its state, otherwise.
    at: Timestamp,
    /// Attempts that count against the schedule.
    attempts_used: u32,
    attempts: &'a [AttemptRecord],
    /// What its provider reported after it took the message.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    receipts: &'a [ReceiptRecord],
    /// What people did to it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    interventions: &'a [InterventionRecord],
    /// What of all this cannot be read.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unreadable: &'a [UnreadableRow],
    /// The delivery that was not made in time, for which this one is made too.
    #[serde(skip_serializing_if = "Option::is_none")]
    escalated_from: Option<DeliveryId>,
    /// When it should have escalated, and the other subscription was not confirmed, or no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_escalated_at: Option<Timestamp>,
    /// What a notice says.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'a Notice>,
}

impl<'a> DeliveryJson<'a> {
    pub(crate) fn of(delivery: &'a DeliveryRecord, now: Timestamp) -> Self {
        Self {
            delivery_id: delivery.id,
            kind: delivery.kind.name(),
            subscription_id: delivery.subscription,
            protocol: delivery.endpoint.protocol().name(),
            endpoint: delivery.endpoint.to_string(),
            order_id: delivery.order,
            state: delivery.state.name(),
            waits_because: delivery.waits_because(now).map(WaitReason::name),
            pause_reason: delivery.pause(now),
            cancel_reason: delivery.cancel_reason.map(CancelReason::name),
            created_at: delivery.created_at,
            at: delivery.at,
            attempts_used: delivery.attempts_used,
            attempts: &delivery.attempts,
            receipts: &delivery.receipts,
            interventions: &delivery.interventions,
            unreadable: &delivery.unreadable,
            escalated_from: delivery.escalated_from,
            not_escalated_at: delivery.not_escalated_at,
            notice: delivery.notice.as_ref(),
        }
    }
}
