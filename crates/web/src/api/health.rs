//! `GET /healthz` and `GET /readyz`: whether the process lives, and whether it can take orders.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use http::StatusCode;
use serde::Serialize;

use super::answer;
use crate::problem::Problem;
use crate::router::Web;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_commit: Option<Timestamp>,
}

/// The process lives: it answers.
pub(crate) async fn alive() -> Response {
    answer(StatusCode::OK, &Health { status: "alive", last_commit: None })
}

/// Orders can be stored, as far as the last commit tells.
pub(crate) async fn ready(State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let last_commit = web.app.orders.ready().await?.last_commit;
    Ok(answer(StatusCode::OK, &Health { status: "ready", last_commit }))
}
