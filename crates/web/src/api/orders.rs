//! `POST /create-order`, and `/orders`: what was ordered, what became of it, whom it did not match, and what of it is
//! spam.

mod json;
pub(crate) mod place;
mod timeline;

use std::collections::BTreeMap;
use std::sync::Arc;

use application::orders;
use application::ports::{OrderQuery, SpamFilter, SpamSelection};
use application::{Error, ErrorKind};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post, put};
use domain::Timestamp;
use domain::order::{OrderId, OrderStatus, customer_email, customer_phone, limits, who};
use http::{StatusCode, Uri};
use serde_json::json;

use self::json::{OrderJson, ProgressJson, ToldJson, not_matched_by_reason};
use self::timeline::TimelineJson;
use super::{json_response, list_response, page_response};
use crate::access::Admin;
use crate::body::{Members, RawBody};
use crate::order_path_alias::CREATE_ORDER;
use crate::parameters::{Id, Params};
use crate::problem::Problem;
use crate::state::{Routes, Web};

pub(crate) fn routes() -> Routes {
    vec![
        (CREATE_ORDER, post(place::place)),
        ("/orders", get(list)),
        ("/orders/{id}", get(show)),
        ("/orders/{id}/status", post(change_status)),
        ("/orders/{id}/not-matched", get(not_matched)),
        ("/orders/{id}/spam", put(mark_spam).delete(unmark_spam)),
        ("/orders/spam", post(mark_spam_by_filter)),
    ]
}

/// Orders, newest first, or those that are called as `find` says; with `include=counts` each with how far its delivery has
/// come, where this host does that itself.
async fn list(_: Admin, State(web): State<Arc<Web>>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::read(&uri, &["limit", "cursor", "find", "from", "before", "include"])?;
    let time = |name| {
        params.value(name, "a time such as 2026-01-31T12:00:00Z", |text| text.parse::<Timestamp>().ok())
    };
    let query = OrderQuery { from: time("from")?, to: time("before")?, page: params.page()? };
    let counts = params.value("include", "counts", |text| (text == "counts").then_some(()))?;
    // As long as a shop's number may be.
    let name = params.value("find", &format!("1 to {} characters", limits::CODE), |text| {
        (1..=limits::CODE).contains(&text.trim().chars().count()).then(|| text.to_owned())
    })?;
    let page = match name {
        Some(_) if query.from.is_some() || query.to.is_some() => {
            return Err(Problem::invalid("conflicting_fields", "find", "find goes without from and before"));
        }
        Some(name) => orders::find(&web.app, &name, query.page).await?,
        None => orders::list(&web.app, query).await?,
    };
    let spam = orders::spam_among(&web.app, &page.items).await?;
    let changes = orders::last_status_changes(&web.app, &page.items).await?;
    let mut progress = BTreeMap::new();
    if counts.is_some() && web.app.local_delivery.is_some() {
        let all = orders::delivery_progress(&web.app, &page.items).await?;
        progress.extend(page.items.iter().map(|order| order.id).zip(all));
    }
    Ok(page_response(&page, |order| ToldJson {
        order: match &web.app.local_delivery {
            None => OrderJson::of(order, None),
            Some(_) => OrderJson::of(order, spam.get(&order.id).copied()).with_status(changes.get(&order.id)),
        },
        progress: progress.get(&order.id).map(ProgressJson::of),
    }))
}

/// One order with its timeline; without it on a host where SNS delivers.
async fn show(_: Admin, State(web): State<Arc<Web>>, Id(id): Id<OrderId>) -> Result<Response, Problem> {
    order_history(&web, id).await
}

async fn order_history(web: &Web, id: OrderId) -> Result<Response, Problem> {
    match orders::timeline(&web.app, id).await {
        Ok(timeline) => Ok(json_response(StatusCode::OK, &TimelineJson::of(&timeline, web.app.clock.now()))),
        Err(Error { kind: ErrorKind::NotOnThisHost, .. }) => {
            let order = orders::get(&web.app, id).await?;
            Ok(json_response(StatusCode::OK, &OrderJson::of(&order, None)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Subscriptions that did not match the order, newest first, by reason.
async fn not_matched(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<OrderId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let page = Params::read(&uri, &["limit", "cursor"])?.page()?;
    let page = orders::not_matched(&web.app, id, page).await?;
    Ok(list_response(&page, not_matched_by_reason(&page)))
}

/// Changes what people made of an order and shows it.
async fn change_status(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<OrderId>,
    RawBody(json): RawBody,
) -> Result<Response, Problem> {
    let members = Members::read(&json, &["status", "by"])?;
    let status = OrderStatus::of_name(&members.required("status")?).ok_or_else(|| {
        let all = OrderStatus::ALL.map(OrderStatus::name).join(", ");
        Problem::invalid("unknown_status", "status", format!("status must be one of {all}"))
    })?;
    let who = members.filter("by")?.map(|name: String| who(&name)).transpose()?;
    orders::change_status(&web.app, id, status, who).await?;
    order_history(&web, id).await
}

/// Marks an order as spam and shows it.
async fn mark_spam(_: Admin, State(web): State<Arc<Web>>, Id(id): Id<OrderId>) -> Result<Response, Problem> {
    orders::mark_spam(&web.app, SpamSelection::One(id)).await?;
    order_history(&web, id).await
}

/// Takes that back and shows the order. What was cancelled stays cancelled.
async fn unmark_spam(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(id): Id<OrderId>,
) -> Result<Response, Problem> {
    orders::unmark_spam(&web.app, id).await?;
    order_history(&web, id).await
}

/// What says which orders are spam.
const SPAM_MEMBERS: [&str; 5] = ["from", "before", "customerName", "customerEmail", "customerPhone"];

/// Marks all orders that fit what the body says: at least something, so that an empty body does not mean everything.
/// Answers how many are marked that were not.
async fn mark_spam_by_filter(
    _: Admin,
    State(web): State<Arc<Web>>,
    RawBody(json): RawBody,
) -> Result<Response, Problem> {
    let members = Members::read(&json, &SPAM_MEMBERS)?;
    let filter = SpamFilter {
        from: members.time("from")?,
        to: members.time("before")?,
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
        let detail = format!("Say which orders are spam, by one or more of {}", SPAM_MEMBERS.join(", "));
        return Err(Problem::new(StatusCode::BAD_REQUEST, "missing_filter", detail));
    }
    let marked = orders::mark_spam(&web.app, SpamSelection::Many(filter)).await?;
    Ok(json_response(StatusCode::OK, &json!({ "marked": marked })))
}
