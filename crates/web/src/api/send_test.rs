//! `POST /subscriptions/{id}/test`: see whether messages arrive.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::delivery::DeliveryId;
use domain::subscription::SubscriptionId;
use http::StatusCode;
use serde::Serialize;

use super::answer;
use crate::access::Admin;
use crate::path_id::Id;
use crate::problem::Problem;
use crate::router::Web;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    /// What becomes of the test: `GET /deliveries/{id}`.
    delivery_id: DeliveryId,
}

/// Owes a confirmed subscription a test.
pub(crate) async fn send_test(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, Problem> {
    let delivery_id = application::subscriptions::send_test(&web.app, id).await?;
    Ok(answer(StatusCode::ACCEPTED, &Sent { delivery_id }))
}
