//! `GET /healthz` and `GET /readyz`: whether the process lives, and whether it can take orders.

use std::sync::Arc;

use application::ports::Readiness;
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
    /// For a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    vouches_for: Option<&'static str>,
}

/// The process lives: it answers.
pub(crate) async fn alive() -> Response {
    answer(StatusCode::OK, &Health { status: "alive", last_commit: None, vouches_for: None })
}

/// Orders can be stored, as far as the last commit tells.
pub(crate) async fn ready(State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let Readiness { last_commit, vouches_for } = web.app.orders.ready().await?;
    let health = Health { status: "ready", last_commit, vouches_for: Some(vouches_for) };
    Ok(answer(StatusCode::OK, &health))
}
