//! What programs use: one file per noun, with its routes. In its folder lie what its answers look like and what is long.

pub(crate) mod deliveries;
pub(crate) mod inbox;
pub(crate) mod operations;
pub(crate) mod orders;
pub(crate) mod receipts;
pub(crate) mod subscriptions;
pub(crate) mod templates;

use application::ports::{Page, UnreadableRow};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::problem::Problem;

/// A JSON answer. It may hold personal data: nobody on the way may keep it.
pub(crate) fn json_response(status: StatusCode, value: &impl Serialize) -> Response {
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
struct List<'a, T> {
    items: Vec<T>,
    /// The rows that should stand among them and cannot be read.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unreadable: &'a [UnreadableRow],
    /// The `cursor` of the page after this one; `null`: this was the last.
    next: Option<&'a str>,
}

/// Answers with a page whose rows are shown as `show` says.
fn page_response<'a, T, S: Serialize + 'a>(page: &'a Page<T>, show: impl Fn(&'a T) -> S) -> Response {
    list_response(page, page.items.iter().map(show).collect())
}

/// Answers with what is shown of a page.
fn list_response<T, S: Serialize>(page: &Page<T>, items: Vec<S>) -> Response {
    let list = List { items, unreadable: &page.unreadable, next: page.next.as_deref() };
    json_response(StatusCode::OK, &list)
}
