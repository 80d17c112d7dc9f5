//! `POST /deliveries/{id}/drop` and `POST /deliveries/drop`: give up what is pending or held.

use std::sync::Arc;

use application::deliveries;
use application::ports::DropSelection;
use axum::extract::State;
use axum::response::Response;
use domain::delivery::DeliveryId;
use http::StatusCode;
use serde::Serialize;

use super::deliveries::DeliveryJson;
use super::{answer, delivery_filter};
use crate::access::Admin;
use crate::body::Whole;
use crate::path_id::Id;
use crate::problem::Problem;
use crate::router::Web;

#[derive(Serialize)]
struct Dropped {
    /// How many deliveries are cancelled.
    dropped: usize,
}

/// Cancels a pending or held delivery and shows it.
pub(crate) async fn one(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Problem> {
    deliveries::drop(&web.app, DropSelection::One(id)).await?;
    let dropped = deliveries::get(&web.app, id).await?;
    Ok(answer(StatusCode::OK, &DeliveryJson::of(&dropped, web.app.clock.now())))
}

/// Cancels all pending, or all held, deliveries, or [some of them](delivery_filter).
pub(crate) async fn many(
    _: Admin,
    State(web): State<Arc<Web>>,
    Whole(json): Whole,
) -> Result<Response, Problem> {
    let (pending, filter) = delivery_filter::read(&json, &[("pending", true), ("held", false)])?;
    let selection = if pending { DropSelection::Pending(filter) } else { DropSelection::Held(filter) };
    let dropped = deliveries::drop(&web.app, selection).await?;
    Ok(answer(StatusCode::OK, &Dropped { dropped }))
}
