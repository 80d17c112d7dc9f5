//! `/assets/…`: the pages' style, scripts and icon, inside the program.

use axum::response::{IntoResponse, Response};
use http::Uri;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::problem::{self, Problem};

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const ICON: &str = "image/svg+xml";

/// An hour; pages ask for them with the program's version.
const KEPT: &str = "public, max-age=3600";

/// One of the files.
pub(crate) async fn show(uri: Uri) -> Result<Response, Problem> {
    let (kind, content) = match uri.path() {
        "/assets/style.css" => (STYLE, include_str!("../../assets/style.css")),
        "/assets/order-form.js" => (SCRIPT, include_str!("../../assets/order-form.js")),
        "/assets/login.js" => (SCRIPT, include_str!("../../assets/login.js")),
        "/assets/icon.svg" => (ICON, include_str!("../../assets/icon.svg")),
        _ => return Err(problem::not_found()),
    };
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, KEPT)];
    Ok((headers, content).into_response())
}
