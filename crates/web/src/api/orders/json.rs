//! What an order looks like in answers, and whom it did not match.

use std::collections::BTreeMap;

use application::orders::NotMatchedPage;
use application::ports::DeliveryProgress;
use domain::Timestamp;
use domain::filter_policy::Mismatch;
use domain::order::{Order, OrderStatus, ShortReference, StatusChange, Way};
use domain::subscription::{SkipReason, Subscription, SubscriptionId};
use serde::Serialize;

/// An order as it is listed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderJson<'a> {
    #[serde(flatten)]
    order: &'a Order,
    request_id: &'a str,
    /// What people call it.
    short_reference: ShortReference,
    /// Since when a person calls it spam.
    #[serde(skip_serializing_if = "Option::is_none")]
    spam_since: Option<Timestamp>,
    /// What people made of it; absent where this host does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<OrderStatus>,
    /// Who made that of it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_change: Option<ChangeJson<'a>>,
}

/// A change of an order's status.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangeJson<'a> {
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    way: &'static str,
    /// Whom the link was sent to that it was made by.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_to: Option<&'a str>,
}

impl<'a> ChangeJson<'a> {
    pub(super) fn of(change: &'a StatusChange) -> Self {
        let StatusChange { at, who, way, .. } = change;
        let sent_to = match way {
            Way::Operator => None,
            Way::Link { to } => Some(to.as_str()),
        };
        Self { at: *at, by: who.as_deref(), way: way.name(), sent_to }
    }
}

impl<'a> OrderJson<'a> {
    pub(super) fn of(order: &'a Order, spam_since: Option<Timestamp>) -> Self {
        let short_reference = ShortReference::of(order.id);
        Self {
            order,
            request_id: &order.request_id,
            short_reference,
            spam_since,
            status: None,
            status_change: None,
        }
    }

    /// As it is on a host that keeps what people made of it: what that was last.
    pub(super) fn with_status(self, change: Option<&'a StatusChange>) -> Self {
        let status = change.map(|change| change.status).unwrap_or_default();
        Self { status: Some(status), status_change: change.map(ChangeJson::of), ..self }
    }
}

/// An order as it is listed with how far its delivery has come.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToldJson<'a> {
    #[serde(flatten)]
    pub(super) order: OrderJson<'a>,
    #[serde(flatten)]
    pub(super) progress: Option<ProgressJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProgressJson {
    published: bool,
    /// How many deliveries there are in each state.
    counts: BTreeMap<&'static str, usize>,
    /// Whether all were counted.
    counts_are_complete: bool,
}

impl ProgressJson {
    pub(super) fn of(progress: &DeliveryProgress) -> Self {
        let counts = progress.counts.iter().map(|(state, count)| (state.name(), *count)).collect();
        Self { published: progress.published, counts, counts_are_complete: progress.is_whole }
    }
}

/// The subscriptions of a page that did not match the order for one reason.
#[derive(Serialize)]
pub(super) struct GroupJson<'a> {
    because: &'static str,
    subscriptions: Vec<NotMatchedJson<'a>>,
}

/// One of them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotMatchedJson<'a> {
    subscription_id: SubscriptionId,
    protocol: &'static str,
    endpoint: String,
    /// What of its filter policy did not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<&'a Mismatch>,
}

/// The subscriptions of a page by reason; the reasons in the order in which they appear.
pub(super) fn not_matched_by_reason(page: &NotMatchedPage) -> Vec<GroupJson<'_>> {
    let mut groups: Vec<GroupJson<'_>> = Vec::new();
    for (subscription, reason) in &page.items {
        let (because, mismatch) = (reason.name(), mismatch(reason));
        let one = NotMatchedJson::of(subscription, mismatch);
        match groups.iter_mut().find(|group| group.because == because) {
            Some(group) => group.subscriptions.push(one),
            None => groups.push(GroupJson { because, subscriptions: vec![one] }),
        }
    }
    groups
}

fn mismatch(reason: &SkipReason) -> Option<&Mismatch> {
    if let SkipReason::FilterPolicy { mismatch } = reason { Some(mismatch) } else { None }
}

impl<'a> NotMatchedJson<'a> {
    fn of(subscription: &Subscription, mismatch: Option<&'a Mismatch>) -> Self {
        Self {
            subscription_id: subscription.id,
            protocol: subscription.endpoint.protocol().name(),
            endpoint: subscription.endpoint.to_string(),
            mismatch,
        }
    }
}
