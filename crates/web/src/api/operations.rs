//! `GET /healthz`, `/readyz`, `/metrics` and `/openapi.json`: what a host says of itself.

use std::sync::Arc;

use application::Error;
use application::ports::Readiness;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::Timestamp;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::json_response;
use crate::access::CanReadMetrics;
use crate::problem::Problem;
use crate::state::{Routes, Web};

/// The contract; a test holds it against the table of routes.
pub(crate) const CONTRACT: &str = include_str!("../../openapi.json");
/// Prometheus's text format, version 0.0.4.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn routes() -> Routes {
    vec![
        ("/healthz", get(alive)),
        ("/readyz", get(ready)),
        ("/metrics", get(metrics)),
        ("/openapi.json", get(contract)),
    ]
}

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
async fn alive() -> Response {
    json_response(StatusCode::OK, &Health { status: "alive", last_commit: None, vouches_for: None })
}

/// Orders can be stored, as far as the last commit tells.
async fn ready(State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let Readiness { last_commit, vouches_for } = web.app.orders.ready().await?;
    let health = Health { status: "ready", last_commit, vouches_for: Some(vouches_for) };
    Ok(json_response(StatusCode::OK, &health))
}

/// The counters, where the host keeps them. They tell how a shop fares: whoever asks needs a key.
async fn metrics(_may: CanReadMetrics, State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let render = web.settings.metrics.as_ref().ok_or_else(Error::not_on_this_host)?;
    Ok(([(CONTENT_TYPE, TEXT_FORMAT)], render()).into_response())
}

/// The contract, for programs.
async fn contract() -> Response {
    ([(CONTENT_TYPE, "application/json")], CONTRACT).into_response()
}
