//! `GET /healthz` and `GET /readyz`: whether the process lives, and whether it can take orders.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::answer;
use crate::problem::Problem;
use crate::router::Web;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// The process lives: it answers.
pub(crate) async fn alive() -> Response {
    answer(StatusCode::OK, &Health { status: "alive" })
}

/// Orders can be stored.
pub(crate) async fn ready(State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    web.app.orders.ready().await?;
    Ok(answer(StatusCode::OK, &Health { status: "ready" }))
}
