//! `/deliveries`: what waits to be delivered, what became of it, and what people do about it.

mod json;

use std::sync::Arc;

use application::deliveries;
use application::ports::{
    DeliveryFilter, DeliveryQuery, DropSelection, Redrivable, RedriveSelection, RetrySelection,
};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use domain::delivery::{DeliveryId, DeliveryState};
use domain::endpoint::Protocol;
use http::{StatusCode, Uri};
use serde_json::json;

pub(crate) use self::json::DeliveryJson;
use super::{json_response, page_response};
use crate::access::Admin;
use crate::body::{Members, RawBody};
use crate::parameters::{Id, Params};
use crate::problem::Problem;
use crate::state::{Routes, Web};

pub(crate) fn routes() -> Routes {
    vec![
        ("/deliveries", get(list)),
        ("/deliveries/{id}", get(show)),
        ("/deliveries/{id}/redrive", post(redrive_one)),
        ("/deliveries/{id}/retry", post(retry_one)),
        ("/deliveries/{id}/drop", post(drop_one)),
        ("/deliveries/redrive", post(redrive)),
        ("/deliveries/retry", post(retry)),
        ("/deliveries/drop", post(drop)),
    ]
}

/// Deliveries, newest first.
async fn list(_: Admin, State(web): State<Arc<Web>>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["limit", "cursor", "state", "subscription", "order"])?;
    let states = "one of pending, in_flight, delivered, sandboxed, held, dead, cancelled";
    let query = DeliveryQuery {
        state: params.value("state", states, |text| {
            DeliveryState::ALL.into_iter().find(|state| state.name() == text)
        })?,
        subscription: params.value("subscription", "a UUID", |text| text.parse().ok())?,
        order: params.value("order", "a UUID", |text| text.parse().ok())?,
        page: params.page()?,
    };
    let page = deliveries::list(&web.app, query).await?;
    let now = web.app.clock.now();
    Ok(page_response(&page, |delivery| DeliveryJson::of(delivery, now)))
}

/// One delivery.
async fn show(_: Admin, State(web): State<Arc<Web>>, Id(id): Id<DeliveryId>) -> Result<Response, Problem> {
    let delivery = deliveries::get(&web.app, id).await?;
    Ok(json_response(StatusCode::OK, &DeliveryJson::of(&delivery, web.app.clock.now())))
}

/// Sends one dead or held delivery again.
async fn redrive_one(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Problem> {
    let redriven = deliveries::redrive(&web.app, RedriveSelection::One(id)).await?;
    Ok(json_response(StatusCode::OK, &json!({ "redriven": redriven })))
}

/// Sends all dead, or all held, deliveries again, or [some of them](selected): how many are pending again.
async fn redrive(_: Admin, State(web): State<Arc<Web>>, RawBody(json): RawBody) -> Result<Response, Problem> {
    let (state, filter) = selected(&json, &[("dead", Redrivable::Dead), ("held", Redrivable::Held)])?;
    let redriven = deliveries::redrive(&web.app, RedriveSelection::Many { state, filter }).await?;
    Ok(json_response(StatusCode::OK, &json!({ "redriven": redriven })))
}

/// Has one pending delivery tried at once.
async fn retry_one(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Problem> {
    let retried = deliveries::retry(&web.app, RetrySelection::One(id)).await?;
    Ok(json_response(StatusCode::OK, &json!({ "retried": retried })))
}

/// Has all pending deliveries tried at once, or [some of them](selected): how many are due now.
async fn retry(_: Admin, State(web): State<Arc<Web>>, RawBody(json): RawBody) -> Result<Response, Problem> {
    let ((), filter) = selected(&json, &[("pending", ())])?;
    let retried = deliveries::retry(&web.app, RetrySelection::Pending(filter)).await?;
    Ok(json_response(StatusCode::OK, &json!({ "retried": retried })))
}

/// Cancels a pending or held delivery and shows it.
async fn drop_one(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Problem> {
    deliveries::drop(&web.app, DropSelection::One(id)).await?;
    let dropped = deliveries::get(&web.app, id).await?;
    Ok(json_response(StatusCode::OK, &DeliveryJson::of(&dropped, web.app.clock.now())))
}

/// Cancels all pending, or all held, deliveries, or [some of them](selected): how many.
async fn drop(_: Admin, State(web): State<Arc<Web>>, RawBody(json): RawBody) -> Result<Response, Problem> {
    let (pending, filter) = selected(&json, &[("pending", true), ("held", false)])?;
    let selection = if pending { DropSelection::Pending(filter) } else { DropSelection::Held(filter) };
    let dropped = deliveries::drop(&web.app, selection).await?;
    Ok(json_response(StatusCode::OK, &json!({ "dropped": dropped })))
}

/// Which of the deliveries in a state are meant, as a body says it: the state, one of those, and
/// `{"subscriptionId"?,"protocol"?,"from"?,"before"?}`.
///
/// The state is asked for so that an empty body does not mean everything; for the same reason `null` is no filter.
fn selected<S: Copy>(json: &[u8], states: &[(&str, S)]) -> Result<(S, DeliveryFilter), Problem> {
    let members = Members::read(json, &["state", "subscriptionId", "protocol", "from", "before"])?;
    let wanted = members.required("state")?;
    let Some((_, state)) = states.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<_> = states.iter().map(|(name, _)| *name).collect();
        let detail = format!("state must be {}", names.join(" or "));
        return Err(Problem::invalid("invalid_state", "state", detail));
    };
    let filter = DeliveryFilter {
        subscription: members.filter("subscriptionId")?.map(|id| id.parse()).transpose()?,
        protocol: members.filter("protocol")?.map(|name| Protocol::parse(&name)).transpose()?,
        from: members.time("from")?,
        before: members.time("before")?,
    };
    Ok((*state, filter))
}
