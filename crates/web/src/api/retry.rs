//! `POST /deliveries/{id}/retry` and `POST /deliveries/retry`: try at once what waits for its time.

use std::sync::Arc;

use application::deliveries::retry;
use application::ports::RetrySelection;
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
struct Retried {
    /// How many pending deliveries are due now.
    retried: usize,
}

/// Has one pending delivery tried at once.
pub(crate) async fn one(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Problem> {
    let retried = retry(&web.app, RetrySelection::One(id)).await?;
    Ok(answer(StatusCode::OK, &Retried { retried }))
}

/// Has all pending deliveries tried at once, or [some of them](delivery_filter).
pub(crate) async fn many(
    _: Admin,
    State(web): State<Arc<Web>>,
    Whole(json): Whole,
) -> Result<Response, Problem> {
    let ((), filter) = delivery_filter::read(&json, &[("pending", ())])?;
    let retried = retry(&web.app, RetrySelection::Pending(filter)).await?;
    Ok(answer(StatusCode::OK, &Retried { retried }))
}
