//! `POST /deliveries/{id}/redrive` and `POST /deliveries/redrive`: send again.

use std::sync::Arc;

use application::ports::RedriveSelection;
use application::redrive::redrive;
use axum::extract::State;
use axum::response::Response;
use domain::delivery::DeliveryId;
use http::StatusCode;
use serde::Serialize;

use super::answer;
use crate::access::Admin;
use crate::body::{Members, Whole};
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

/// Sends all dead deliveries again, or all of one subscription: `{"state":"dead","subscriptionId"?}`. The
/// state is asked for so that an empty body does not send everything.
pub(crate) async fn all_dead(
    _: Admin,
    State(web): State<Arc<Web>>,
    Whole(json): Whole,
) -> Result<Response, Problem> {
    let members = Members::read(&json, &["state", "subscriptionId"])?;
    if members.required("state")? != "dead" {
        return Err(Problem::invalid(
            "invalid_state",
            "state",
            "state must be dead; a held delivery is redriven by its id",
        ));
    }
    let subscription = members.text("subscriptionId")?.map(|id| id.parse()).transpose()?;
    let redriven = redrive(&web.app, RedriveSelection::Dead { subscription }).await?;
    Ok(answer(StatusCode::OK, &Redriven { redriven }))
}
