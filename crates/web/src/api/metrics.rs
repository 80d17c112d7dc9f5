//! `GET /metrics`: the counters, as Prometheus reads them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::access::MayMeasure;
use crate::problem::Problem;
use crate::router::Web;

/// Prometheus's text format, version 0.0.4.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The counters, where the host keeps them. They tell how a shop fares: whoever asks needs a key.
pub(crate) async fn show(_may: MayMeasure, State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let render = web.settings.metrics.as_ref().ok_or_else(application::Error::not_on_this_host)?;
    Ok(([(CONTENT_TYPE, TEXT_FORMAT)], render()).into_response())
}
