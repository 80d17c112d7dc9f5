//! The JSON form of an order's timeline.

use application::queries::{Event, EventKind, Timeline};
use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryId};
use domain::receipt::ReceiptStatus;
use domain::subscription::{NotOwed, Subscription, SubscriptionId};
use serde::Serialize;

use super::OrderJson;
use crate::api::deliveries::{AttemptJson, DeliveryJson};

/// An order, what happened to it, who is owed it and who is not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TimelineJson<'a> {
    #[serde(flatten)]
    order: OrderJson<'a>,
    published: bool,
    /// One sentence: whether anybody is owed the order.
    summary: String,
    timeline: Vec<EventJson<'a>>,
    deliveries: Vec<DeliveryJson<'a>>,
    not_owed: Vec<NotOwedJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventJson<'a> {
    at: Timestamp,
    event: &'static str,
    #[serde(flatten)]
    about: Option<About>,
    #[serde(flatten)]
    attempt: Option<AttemptJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// The delivery that an event is about.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct About {
    delivery_id: DeliveryId,
    subscription_id: SubscriptionId,
    endpoint: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotOwedJson<'a> {
    subscription_id: SubscriptionId,
    protocol: &'static str,
    endpoint: String,
    #[serde(flatten)]
    because: &'a NotOwed,
}

impl<'a> TimelineJson<'a> {
    pub(super) fn of(timeline: &'a Timeline, now: Timestamp) -> Self {
        Self {
            order: OrderJson::of(&timeline.order),
            published: timeline.published,
            summary: summary(timeline),
            timeline: timeline.events.iter().map(|event| EventJson::of(event, timeline)).collect(),
            deliveries: timeline.deliveries.iter().map(|delivery| DeliveryJson::of(delivery, now)).collect(),
            not_owed: timeline.not_owed.iter().map(not_owed).collect(),
        }
    }
}

fn summary(timeline: &Timeline) -> String {
    match timeline.deliveries.len() {
        _ if !timeline.published => "Not published yet: who is owed this order is not known".to_owned(),
        0 => "Nobody is owed this order: no confirmed subscription matched when it was accepted".to_owned(),
        1 => "Owed to 1 subscription".to_owned(),
        several => format!("Owed to {several} subscriptions"),
    }
}

impl<'a> EventJson<'a> {
    fn of(event: &'a Event, timeline: &Timeline) -> Self {
        let delivery = event.delivery.and_then(|place| timeline.deliveries.get(place));
        let about = delivery.map(|delivery| About {
            delivery_id: delivery.id,
            subscription_id: delivery.subscription,
            endpoint: delivery.endpoint.to_string(),
        });
        let protocol = delivery.map(|delivery| delivery.endpoint.protocol());
        let (name, attempt, protocol, reason) = match &event.kind {
            EventKind::Accepted => ("accepted", None, protocol, None),
            EventKind::Owed if delivery.is_some_and(|delivery| delivery.escalated_from.is_some()) => {
                ("escalated", None, protocol, None)
            }
            EventKind::Owed => ("owed", None, protocol, None),
            EventKind::Attempt(attempt) => ("attempt", Some(AttemptJson::of(attempt)), protocol, None),
            EventKind::Receipt(receipt) => {
                let name = match receipt.status {
                    ReceiptStatus::Delivered => "receipt_delivered",
                    ReceiptStatus::Failed => "receipt_failed",
                };
                (name, None, protocol, Some(receipt.reply.as_str()))
            }
            EventKind::ChannelPaused { protocol, reason } => {
                ("channel_paused", None, Some(*protocol), Some(reason.as_str()))
            }
            EventKind::ChannelResumed { protocol } => ("channel_resumed", None, Some(*protocol), None),
            EventKind::NotEscalated => ("not_escalated", None, protocol, None),
            EventKind::Redriven => ("redriven", None, protocol, None),
            EventKind::Retried => ("retried", None, protocol, None),
            EventKind::Ended(state) => (state.name(), None, protocol, None),
            EventKind::Cancelled(reason) => ("cancelled", None, protocol, reason.map(CancelReason::name)),
        };
        let protocol = protocol.map(domain::endpoint::Protocol::name);
        Self { at: event.at, event: name, about, attempt, protocol, reason }
    }
}

fn not_owed((subscription, because): &(Subscription, NotOwed)) -> NotOwedJson<'_> {
    NotOwedJson {
        subscription_id: subscription.id,
        protocol: subscription.endpoint.protocol().name(),
        endpoint: subscription.endpoint.to_string(),
        because,
    }
}
