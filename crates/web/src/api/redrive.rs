//! `POST /deliveries/{id}/redrive` and `POST /deliveries/redrive`: send again.

use std::sync::Arc;

use application::ports::{Redrivable, RedriveSelection};
use application::redrive::redrive;
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
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

/// Sends all dead, or all held, deliveries again, or some of them:
/// `{"state":"dead","subscriptionId"?,"protocol"?,"from"?,"before"?}`. The state is asked for so that an empty body does
/// not send everything; for the same reason `null` is no filter.
pub(crate) async fn many(
    _: Admin,
    State(web): State<Arc<Web>>,
    Whole(json): Whole,
) -> Result<Response, Problem> {
    let members = Members::read(&json, &["state", "subscriptionId", "protocol", "from", "before"])?;
    let state = match members.required("state")?.as_str() {
        "dead" => Redrivable::Dead,
        "held" => Redrivable::Held,
        _ => return Err(Problem::invalid("invalid_state", "state", "state must be dead or held")),
    };
    let selection = RedriveSelection::Many {
        state,
        subscription: members.filter("subscriptionId")?.map(|id| id.parse()).transpose()?,
        protocol: members.filter("protocol")?.map(|name| Protocol::parse(&name)).transpose()?,
        from: time(&members, "from")?,
        before: time(&members, "before")?,
    };
    let redriven = redrive(&web.app, selection).await?;
    Ok(answer(StatusCode::OK, &Redriven { redriven }))
}

fn time(members: &Members<'_>, name: &'static str) -> Result<Option<Timestamp>, Problem> {
    let wrong = |_| {
        let detail = format!("{name} must be a time such as 2026-01-31T12:00:00Z");
        Problem::invalid("invalid_time", name, detail)
    };
    members.filter(name)?.map(|text| text.parse().map_err(wrong)).transpose()
}
