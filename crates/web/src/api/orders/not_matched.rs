//! `GET /orders/{id}/not-matched`: whom an order did not match, by reason.

use std::sync::Arc;

use application::orders::{self, NotMatchedPage};
use axum::extract::State;
use axum::response::Response;
use domain::filter_policy::Mismatch;
use domain::order::OrderId;
use domain::subscription::{SkipReason, Subscription, SubscriptionId};
use http::{StatusCode, Uri};
use serde::Serialize;

use crate::access::Admin;
use crate::api::{List, answer};
use crate::path_id::Id;
use crate::problem::Problem;
use crate::query::Params;
use crate::router::Web;

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

/// Subscriptions that did not match the order, newest first.
pub(crate) async fn list(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<OrderId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let page = Params::read(&uri, &["limit", "cursor"])?.page()?;
    let page = orders::not_matched(&web.app, id, page).await?;
    Ok(answer(StatusCode::OK, &List::of(groups(&page), &page)))
}

/// The subscriptions of a page by reason; the reasons in the order in which they appear.
pub(super) fn groups(page: &NotMatchedPage) -> Vec<GroupJson<'_>> {
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
