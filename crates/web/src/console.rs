//! The operator's console: one file per page. Its key is the admin key, its proof of it a session cookie.

pub(crate) mod inbox;
pub(crate) mod login;
mod session;

use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

pub(crate) use self::session::Sessions;

/// `/console`: where the operator starts.
pub(crate) async fn start() -> Response {
    see_other("/console/inbox")
}

/// Sends a browser to another page, with a GET.
fn see_other(path: &'static str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, HeaderValue::from_static(path))]).into_response()
}
