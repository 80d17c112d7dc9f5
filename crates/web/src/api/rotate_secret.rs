//! `POST /subscriptions/{id}/rotate-secret`: a new secret for a webhook.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::subscription::SubscriptionId;
use http::StatusCode;

use super::subscription::{SubscriptionJson, answer_with};
use crate::access::Admin;
use crate::path_id::Id;
use crate::problem::Problem;
use crate::router::Web;

/// Makes a new secret and shows it this once. The old one signs too for 24 hours.
pub(crate) async fn rotate_secret(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let rotated = application::subscriptions::rotate_secret(&web.app, id).await?;
    answer_with(&web, StatusCode::OK, &rotated, SubscriptionJson::with_secret(&rotated)).await
}
