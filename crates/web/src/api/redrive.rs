//! `POST /deliveries/{id}/redrive` and `POST /deliveries/redrive`: send again.

use std::sync::Arc;

use application::deliveries::redrive;
use application::ports::{Redrivable, RedriveSelection};
use axum::extract::State;
use axum::response::Response;
use domain::delivery::DeliveryId;
use http::StatusCode;
use serde::Serialize;

use super::{answer, delivery_filter};
use crate::access::Admin;
use crate::body::Whole;
use crate::path_id::Id;
use crate::problem::Problem;
use crate::router::Web;

#[derive(Serialize)]
struct Redriven {
    /// How many deliveries are pending again.
    redriven: usize,
}

/// Sends one dead or held delivery again.
pub(crate) async fn one(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Problem> {
    let redriven = redrive(&web.app, RedriveSelection::One(id)).await?;
    Ok(answer(StatusCode::OK, &Redriven { redriven }))
}

/// Sends all dead, or all held, deliveries again, or [some of them](delivery_filter).
pub(crate) async fn many(
    _: Admin,
    State(web): State<Arc<Web>>,
    Whole(json): Whole,
) -> Result<Response, Problem> {
    let states = [("dead", Redrivable::Dead), ("held", Redrivable::Held)];
    let (state, filter) = delivery_filter::read(&json, &states)?;
    let redriven = redrive(&web.app, RedriveSelection::Many { state, filter }).await?;
    Ok(answer(StatusCode::OK, &Redriven { redriven }))
}
