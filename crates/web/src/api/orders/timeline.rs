//! What an order's timeline looks like in answers.

use std::collections::BTreeMap;

use application::orders::{Event, EventKind, Timeline};
use application::ports::{AttemptRecord, OrderHistory, UnreadableRow};
use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryId};
use domain::order::OrderStatus;
use domain::receipt::ReceiptStatus;
use domain::subscription::SubscriptionId;
use serde::Serialize;

use super::json::{ChangeJson, GroupJson, OrderJson, not_matched_by_reason};
use crate::api::deliveries::DeliveryJson;

/// An order, what happened to it, whom it matched and whom it did not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TimelineJson<'a> {
    #[serde(flatten)]
    order: OrderJson<'a>,
    published: bool,
    /// One sentence: whether the order matched anybody.
    summary: String,
    timeline: Vec<EventJson<'a>>,
    /// How many deliveries there are in each state; only the first are listed here.
    counts: BTreeMap<&'static str, usize>,
    deliveries: Vec<DeliveryJson<'a>>,
    not_matched: Vec<GroupJson<'a>>,
    /// The `cursor` of the next page of `/orders/{id}/not-matched`.
    not_matched_next: Option<&'a str>,
    /// What else belongs here and cannot be read.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unreadable: &'a [UnreadableRow],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventJson<'a> {
    at: Timestamp,
    event: &'static str,
    #[serde(flatten)]
    about: Option<About>,
    #[serde(flatten)]
    attempt: Option<&'a AttemptRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// How a person changed the order's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_change: Option<ChangeJson<'a>>,
}

/// The delivery that an event is about.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct About {
    delivery_id: DeliveryId,
    subscription_id: SubscriptionId,
    endpoint: String,
}

impl<'a> TimelineJson<'a> {
    pub(super) fn of(timeline: &'a Timeline, now: Timestamp) -> Self {
        Self {
            order: OrderJson::of(&timeline.order, timeline.spam_since).with_status(timeline.change.as_ref()),
            published: timeline.published,
            summary: summary(timeline),
            timeline: timeline.events.iter().map(|event| EventJson::of(event, timeline)).collect(),
            deliveries: timeline.deliveries.iter().map(|delivery| DeliveryJson::of(delivery, now)).collect(),
            counts: timeline.counts.iter().map(|(state, count)| (state.name(), *count)).collect(),
            not_matched: not_matched_by_reason(&timeline.not_matched),
            not_matched_next: timeline.not_matched.next.as_deref(),
            unreadable: &timeline.unreadable,
        }
    }
}

fn summary(timeline: &Timeline) -> String {
    let count: usize = timeline.counts.iter().map(|(_, count)| count).sum();
    let shown = timeline.deliveries.len();
    match count {
        _ if timeline.spam_since.is_some() => "Marked as spam: nothing more is sent of this order".to_owned(),
        _ if !timeline.published => "Not published yet: whom this order matches is not known".to_owned(),
        0 if !timeline.unreadable.is_empty() => {
            "Who is told of this order cannot be read in full: see what is unreadable".to_owned()
        }
        0 => "Matched nobody: no confirmed subscription wanted this order when it was accepted".to_owned(),
        1 => "Matched 1 subscription".to_owned(),
        OrderHistory::COUNTED.. => {
            format!(
                "Matched {} subscriptions or more, of which the first {shown} are shown",
                OrderHistory::COUNTED
            )
        }
        many if many > shown => format!("Matched {many} subscriptions, of which the first {shown} are shown"),
        several => format!("Matched {several} subscriptions"),
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
            EventKind::Matched if delivery.is_some_and(|delivery| delivery.escalated_from.is_some()) => {
                ("escalated", None, protocol, None)
            }
            EventKind::Matched => ("matched", None, protocol, None),
            EventKind::Attempt(attempt) => ("attempt", Some(attempt), protocol, None),
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
            EventKind::Restored => ("restored", None, protocol, None),
            EventKind::Retried => ("retried", None, protocol, None),
            EventKind::MarkedSpam => ("marked_spam", None, protocol, None),
            EventKind::UnmarkedSpam => ("unmarked_spam", None, protocol, None),
            EventKind::StatusChanged(change) => (changed(change.status), None, None, None),
            EventKind::Ended(state) => (state.name(), None, protocol, None),
            EventKind::Cancelled(reason) => ("cancelled", None, protocol, reason.map(CancelReason::name)),
        };
        let protocol = protocol.map(domain::endpoint::Protocol::name);
        let status_change = match &event.kind {
            EventKind::StatusChanged(change) => Some(ChangeJson::of(change)),
            _ => None,
        };
        Self { at: event.at, event: name, about, attempt, protocol, reason, status_change }
    }
}

/// What a person did.
fn changed(to: OrderStatus) -> &'static str {
    match to {
        OrderStatus::New => "order_reopened",
        OrderStatus::Acknowledged => "order_acknowledged",
        OrderStatus::Completed => "order_completed",
        OrderStatus::Cancelled => "order_cancelled",
    }
}
