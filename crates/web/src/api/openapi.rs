//! `GET /openapi.json`: the contract, for programs.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

/// The contract; a test holds it against the table of routes.
pub(crate) const DOCUMENT: &str = include_str!("../../openapi.json");

/// The contract.
pub(crate) async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
