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
mod pending;
pub(crate) mod receipts;
pub(crate) mod redrive;
pub(crate) mod retry;
pub(crate) mod rotate_secret;
pub(crate) mod send_test;
pub(crate) mod subscription;
pub(crate) mod subscriptions;
pub(crate) mod suspension;
pub(crate) mod test_filter;
pub(crate) mod unreadable;

use application::ports::Page;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::problem::Problem;
use unreadable::UnreadableJson;

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
struct List<'a, T> {
    items: Vec<T>,
    /// The rows that should stand among them and cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<UnreadableJson<'a>>,
    /// The `cursor` of the page after this one; `null`: this was the last.
    next: Option<String>,
}

impl<'a, T> List<'a, T> {
    /// What is shown of a page, and what of it cannot be.
    fn of<U>(items: Vec<T>, page: &'a Page<U>) -> Self {
        Self { items, unreadable: UnreadableJson::of(&page.unreadable), next: page.next.clone() }
    }
}

/// Answers with a page whose rows are shown as `show` says.
fn answer_page<'a, T, S: Serialize + 'a>(page: &'a Page<T>, show: impl Fn(&'a T) -> S) -> Response {
    let items = page.items.iter().map(show).collect();
    answer(StatusCode::OK, &List::of(items, page))
}
