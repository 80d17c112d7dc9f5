//! Orders: placed once, looked at, marked as spam. Publishing follows from the log, not from here.

mod find;
mod linked;
mod status;
mod timeline;

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::order::idempotency::IdempotencyKey;
use domain::order::{Order, OrderDetails, OrderId};

pub use find::find_in;
pub use linked::{LinkedOrder, linked};
pub use status::{change_status, change_status_by_link, last_status_changes};
pub use timeline::{Event, EventKind, NotMatchedPage, Timeline, not_matched_of, timeline as timeline_of};

use crate::ports::{
    Acceptance, ClientDigest, DeliveryProgress, Idempotency, OrderQuery, Page, PageRequest, SpamMark,
    SpamSelection,
};
use crate::{App, Error, ErrorKind};

/// How many members are named, and how much of each name, where an order is not the one under its key.
const MEMBERS_NAMED: usize = 10;
const MEMBER_NAME_SHOWN: usize = 64;

/// A request to place an order.
#[derive(Debug, Clone)]
pub struct PlaceOrder {
    /// What was ordered.
    pub details: OrderDetails,
    /// The client's key, if it sent one.
    pub key: Option<IdempotencyKey>,
    /// Whose key that is; empty for anonymous callers.
    pub caller: String,
    /// From where an anonymous caller came.
    pub client_digest: Option<ClientDigest>,
    /// The request's id, as the log has it.
    pub request_id: String,
}

/// What the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The order's id.
    pub id: OrderId,
    /// The order had been stored before, under the same key.
    pub repeated: bool,
}

/// Stores an order, once for its key.
///
/// # Errors
/// `Unprocessable` with `idempotency_key_reused` if the key was used for another order; what the store says otherwise.
pub async fn place(app: &App, request: PlaceOrder) -> Result<Placed, Error> {
    let now = app.clock.now();
    let idempotency = request.key.map(|key| Idempotency {
        scope: request.caller,
        client_digest: request.client_digest,
        key,
        fingerprint: request.details.fingerprint(),
        lifetime: app.idempotency_lifetime,
    });
    let id = app.randomness.order_id(now);
    let request_id = request.request_id;
    let asked = idempotency.as_ref().map(|_| request.details.clone());
    let order = Order { id, time: now, details: request.details, request_id: request_id.clone() };
    match app.orders.accept(order, idempotency).await? {
        Acceptance::Stored => {
            metrics::counter!("orderbell_orders_accepted_total").increment(1);
            tracing::info!(order_id = %id, request_id, "order accepted");
            Ok(Placed { id, repeated: false })
        }
        Acceptance::Repeated(id) => {
            metrics::counter!("orderbell_orders_repeated_total").increment(1);
            tracing::info!(order_id = %id, request_id, "order repeated under the same key");
            Ok(Placed { id, repeated: true })
        }
        Acceptance::KeyReused(id) => Err(key_reused(app, id, asked).await),
    }
}

/// Says in which members the order that was stored under the key is another one.
async fn key_reused(app: &App, stored: OrderId, asked: Option<OrderDetails>) -> Error {
    let stored = app.orders.order(stored).await.ok().flatten();
    let both = stored.zip(asked);
    let members = both.map(|(stored, asked)| stored.details.differences(&asked)).unwrap_or_default();
    let named: Vec<_> = members.iter().take(MEMBERS_NAMED).map(|name| cut(name)).collect();
    let more = if members.len() > MEMBERS_NAMED { " and others" } else { "" };
    let which =
        if named.is_empty() { String::new() } else { format!(": it differs in {}{more}", named.join(", ")) };
    let message = format!("This Idempotency-Key was used for another order{which}");
    Error::new(ErrorKind::Unprocessable, "idempotency_key_reused", message)
}

/// The name of a member, which is the client's own.
fn cut(name: &str) -> String {
    name.chars().take(MEMBER_NAME_SHOWN).collect()
}

/// One order.
///
/// # Errors
/// `NotFound` with `order_not_found`.
pub async fn get(app: &App, id: OrderId) -> Result<Order, Error> {
    app.orders.order(id).await?.ok_or_else(|| Error::not_found("order_not_found", "order"))
}

/// Orders, newest first.
///
/// # Errors
/// `invalid_cursor`.
pub async fn list(app: &App, query: OrderQuery) -> Result<Page<Order>, Error> {
    app.orders.orders(query).await
}

/// Orders that are called `text`, as [`find_in`] has them.
///
/// # Errors
/// `invalid_cursor`; `unreadable_row` where an order of this id cannot be read.
pub async fn find(app: &App, text: &str, page: PageRequest) -> Result<Page<Order>, Error> {
    find_in(app.orders.as_ref(), text, page).await
}

/// How far the delivery of each of these orders has come, in their own order.
///
/// # Errors
/// `not_on_this_host` where SNS delivers.
pub async fn delivery_progress(app: &App, orders: &[Order]) -> Result<Vec<DeliveryProgress>, Error> {
    app.local_delivery()?.deliveries.delivery_progress(orders.iter().map(|order| order.id).collect()).await
}

/// One order and all that became of it.
///
/// # Errors
/// `NotFound` with `order_not_found`; `not_on_this_host` where SNS delivers.
pub async fn timeline(app: &App, id: OrderId) -> Result<Timeline, Error> {
    let own = app.local_delivery()?;
    let history = own.deliveries.order_history(id).await?;
    let told = history.map(timeline_of).ok_or_else(|| Error::not_found("order_not_found", "order"))?;
    let marks = own.spam.spam_marks(vec![id]).await?;
    let told = marks.get(&id).copied().into_iter().fold(told, Timeline::marked);
    Ok(told.with_changes(own.statuses.status_changes(id).await?))
}

/// Subscriptions that a published order does not match, and why, newest first. A page may hold fewer than were asked for,
/// though others follow.
///
/// # Errors
/// `NotFound` with `order_not_found`; `invalid_cursor`; `not_on_this_host` where SNS delivers.
pub async fn not_matched(app: &App, id: OrderId, page: PageRequest) -> Result<NotMatchedPage, Error> {
    let unmatched = app.local_delivery()?.deliveries.unmatched_subscriptions(id, page).await?;
    unmatched.map(not_matched_of).ok_or_else(|| Error::not_found("order_not_found", "order"))
}

/// Marks orders as spam: what waits for them is cancelled, and nothing more of them is sent. Answers how many were
/// marked.
///
/// # Errors
/// `NotFound` with `order_not_found`; `not_on_this_host` where SNS delivers.
pub async fn mark_spam(app: &App, selection: SpamSelection) -> Result<usize, Error> {
    let marked = app.local_delivery()?.spam.mark_spam(selection, app.clock.now()).await?;
    tracing::info!(marked, "orders marked as spam");
    Ok(marked)
}

/// Takes an order's mark back. It sends nothing by itself: what was cancelled stays cancelled.
///
/// # Errors
/// `NotFound` with `order_not_found`; `not_on_this_host` where SNS delivers.
pub async fn unmark_spam(app: &App, id: OrderId) -> Result<(), Error> {
    app.local_delivery()?.spam.unmark_spam(id, app.clock.now()).await?;
    tracing::info!(order_id = %id, "order is no longer marked as spam");
    Ok(())
}

/// Since when each of these orders is spam that is; none where SNS delivers.
///
/// # Errors
/// The store cannot be read.
pub async fn spam_among(app: &App, orders: &[Order]) -> Result<BTreeMap<OrderId, Timestamp>, Error> {
    let Some(own) = &app.local_delivery else { return Ok(BTreeMap::new()) };
    let marks = own.spam.spam_marks(orders.iter().map(|order| order.id).collect()).await?;
    let since = |(id, mark): (OrderId, SpamMark)| Some((id, mark.since()?));
    Ok(marks.into_iter().filter_map(since).collect())
}
