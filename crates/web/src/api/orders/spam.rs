//! `PUT` and `DELETE /orders/{id}/spam`, `POST /orders/spam`: say that orders are spam, and take that back.

use std::sync::Arc;

use application::orders::{mark_spam, unmark_spam};
use application::ports::{SpamFilter, SpamSelection};
use axum::extract::State;
use axum::response::Response;
use domain::order::{OrderId, customer_email, customer_phone};
use http::StatusCode;
use serde::Serialize;

use super::order_history;
use crate::access::Admin;
use crate::api::answer;
use crate::api::delivery_filter::time;
use crate::body::{Members, Whole};
use crate::path_id::Id;
use crate::problem::Problem;
use crate::router::Web;

const MEMBERS: [&str; 5] = ["from", "before", "customerName", "customerEmail", "customerPhone"];

#[derive(Serialize)]
struct Marked {
    /// How many orders are marked that were not.
    marked: usize,
}

/// Marks an order and shows it.
pub(crate) async fn mark(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<OrderId>,
) -> Result<Response, Problem> {
    mark_spam(&web.app, SpamSelection::One(id)).await?;
    order_history(&web, id).await
}

/// Takes that back and shows the order. What was cancelled stays cancelled.
pub(crate) async fn unmark(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<OrderId>,
) -> Result<Response, Problem> {
    unmark_spam(&web.app, id).await?;
    order_history(&web, id).await
}

/// Marks all orders that fit what the body says: at least something, so that an empty body does not mean everything.
pub(crate) async fn mark_many(
    _: Admin,
    State(web): State<Arc<Web>>,
    Whole(json): Whole,
) -> Result<Response, Problem> {
    let members = Members::read(&json, &MEMBERS)?;
    let filter = SpamFilter {
        from: time(&members, "from")?,
        to: time(&members, "before")?,
        customer_name: members.filter("customerName")?.map(|name: String| name.trim().to_owned()),
        customer_email: members
            .filter("customerEmail")?
            .map(|text: String| customer_email(&text))
            .transpose()?,
        customer_phone: members
            .filter("customerPhone")?
            .map(|text: String| customer_phone(&text))
            .transpose()?,
    };
    if filter == SpamFilter::default() {
        let detail = format!("Say which orders are spam, by one or more of {}", MEMBERS.join(", "));
        return Err(Problem::new(StatusCode::BAD_REQUEST, "missing_filter", detail));
    }
    let marked = mark_spam(&web.app, SpamSelection::Many(filter)).await?;
    Ok(answer(StatusCode::OK, &Marked { marked }))
}
