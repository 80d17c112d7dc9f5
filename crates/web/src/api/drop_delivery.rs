//! `POST /deliveries/{id}/drop`: give up a held delivery.

use std::sync::Arc;

use application::queries;
use axum::extract::State;
use axum::response::Response;
use domain::delivery::DeliveryId;
use http::StatusCode;

use super::answer;
use super::deliveries::DeliveryJson;
use crate::access::Admin;
use crate::path_id::Id;
use crate::problem::Problem;
use crate::router::Web;

/// Cancels a held delivery and shows it.
pub(crate) async fn drop_delivery(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Problem> {
    application::drop_delivery::drop_delivery(&web.app, id).await?;
    let dropped = queries::delivery(&web.app, id).await?;
    Ok(answer(StatusCode::OK, &DeliveryJson::of(&dropped, web.app.clock.now())))
}
