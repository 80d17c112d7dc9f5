//! What programs use: one file per route.

mod attributes;
pub(crate) mod create_order;
pub(crate) mod deliveries;
pub(crate) mod delivery_filter;
pub(crate) mod drop_deliveries;
pub(crate) mod health;
pub(crate) mod inbox;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod orders;
pub(crate) mod receipts;
pub(crate) mod redrive;
pub(crate) mod retry;
pub(crate) mod rotate_secret;
pub(crate) mod send_test;
pub(crate) mod subscription;
pub(crate) mod subscriptions;
pub(crate) mod suspension;
pub(crate) mod test_filter;

use application::ports::Page;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::problem::Problem;

/// A JSON answer. It may hold personal data: nobody on the way may keep it.
pub(crate) fn answer(status: StatusCode, value: &impl Serialize) -> Response {
    let body = match serde_json::to_vec(value) {
        Ok(body) => body,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}

/// A page of a list.
#[derive(Serialize)]
struct List<T> {
    items: Vec<T>,
    /// The `cursor` of the page after this one; `null`: this was the last.
    next: Option<String>,
}

/// Answers with a page whose rows are shown as `show` says.
fn answer_page<'a, T, S: Serialize + 'a>(page: &'a Page<T>, show: impl Fn(&'a T) -> S) -> Response {
    let list = List { items: page.items.iter().map(show).collect(), next: page.next.clone() };
    answer(StatusCode::OK, &list)
}
