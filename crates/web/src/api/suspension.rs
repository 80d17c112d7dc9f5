//! `POST /subscriptions/{id}/suspend` and `POST /subscriptions/{id}/resume`: let deliveries wait, and send them.

use std::sync::Arc;

use application::subscriptions;
use axum::extract::State;
use axum::response::Response;
use domain::subscription::SubscriptionId;
use http::StatusCode;

use super::answer;
use super::subscription::SubscriptionJson;
use crate::access::Admin;
use crate::path_id::Id;
use crate::problem::Problem;
use crate::router::Web;

/// Lets the deliveries of a confirmed subscription wait; they are owed all the same.
pub(crate) async fn suspend(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let suspended = subscriptions::suspend(&web.app, id).await?;
    Ok(answer(StatusCode::OK, &SubscriptionJson::of(&suspended)))
}

/// Sends to a suspended subscription again.
pub(crate) async fn resume(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let resumed = subscriptions::resume(&web.app, id).await?;
    Ok(answer(StatusCode::OK, &SubscriptionJson::of(&resumed)))
}
