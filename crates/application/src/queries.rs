//! What people look at: one order's timeline, and the lists.

mod pending;
mod timeline;

use domain::delivery::DeliveryId;
use domain::order::{Order, OrderId};
use domain::subscription::{Subscription, SubscriptionId};

pub use pending::{Pending, PendingReason, pending};
pub use timeline::{Event, EventKind, NotOwedPage, Timeline, not_owed, timeline};

use crate::ports::{
    DeliveryQuery, DeliveryRecord, InboxMessage, OrderQuery, Page, PageRequest, SubscriptionQuery, Telling,
};
use crate::{App, Error};

/// One order.
///
/// # Errors
/// `NotFound` with `order_not_found`.
pub async fn order(app: &App, id: OrderId) -> Result<Order, Error> {
    app.orders.order(id).await?.ok_or_else(|| Error::not_found("order_not_found", "order"))
}

/// Orders, newest first.
///
/// # Errors
/// `invalid_cursor`.
pub async fn orders(app: &App, query: OrderQuery) -> Result<Page<Order>, Error> {
    app.orders.orders(query).await
}

/// How far the telling of each of these orders has come, in their own order.
///
/// # Errors
/// `not_on_this_host` where SNS delivers.
pub async fn telling(app: &App, orders: &[Order]) -> Result<Vec<Telling>, Error> {
    app.own_delivery()?.records.telling(orders.iter().map(|order| order.id).collect()).await
}

/// One order and all that became of it.
///
/// # Errors
/// `NotFound` with `order_not_found`; `not_on_this_host` where SNS delivers.
pub async fn order_timeline(app: &App, id: OrderId) -> Result<Timeline, Error> {
    let own = app.own_delivery()?;
    let story = own.records.story(id).await?;
    let told = story.map(timeline).ok_or_else(|| Error::not_found("order_not_found", "order"))?;
    let marks = own.spam.spam_marks(vec![id]).await?;
    Ok(marks.get(&id).copied().into_iter().fold(told, Timeline::marked))
}

/// Subscriptions that are not owed a published order, and why, newest first. A page may hold fewer than were asked for,
/// though others follow.
///
/// # Errors
/// `NotFound` with `order_not_found`; `invalid_cursor`; `not_on_this_host` where SNS delivers.
pub async fn order_not_owed(app: &App, id: OrderId, page: PageRequest) -> Result<NotOwedPage, Error> {
    let bystanders = app.own_delivery()?.records.bystanders(id, page).await?;
    bystanders.map(not_owed).ok_or_else(|| Error::not_found("order_not_found", "order"))
}

/// One subscription.
///
/// # Errors
/// `NotFound` with `subscription_not_found`.
pub async fn subscription(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    let found = app.topic.subscription(id).await?;
    found.ok_or_else(|| Error::not_found("subscription_not_found", "subscription"))
}

/// Subscriptions, newest first.
///
/// # Errors
/// `invalid_cursor`.
pub async fn subscriptions(app: &App, query: SubscriptionQuery) -> Result<Page<Subscription>, Error> {
    app.topic.subscriptions(query).await
}

/// One delivery.
///
/// # Errors
/// `NotFound` with `delivery_not_found`; `not_on_this_host` where SNS delivers.
pub async fn delivery(app: &App, id: DeliveryId) -> Result<DeliveryRecord, Error> {
    let found = app.own_delivery()?.records.delivery(id).await?;
    found.ok_or_else(|| Error::not_found("delivery_not_found", "delivery"))
}

/// Deliveries, newest first.
///
/// # Errors
/// `invalid_cursor`; `not_on_this_host` where SNS delivers.
pub async fn deliveries(app: &App, query: DeliveryQuery) -> Result<Page<DeliveryRecord>, Error> {
    app.own_delivery()?.records.deliveries(query).await
}

/// One message in the sandbox inbox.
///
/// # Errors
/// `NotFound` with `message_not_found`; `not_on_this_host` where SNS delivers.
pub async fn inbox_message(app: &App, id: DeliveryId) -> Result<InboxMessage, Error> {
    let found = app.own_delivery()?.inbox.message(id).await?;
    found.ok_or_else(|| Error::not_found("message_not_found", "message"))
}

/// The sandbox inbox, newest first.
///
/// # Errors
/// `invalid_cursor`; `not_on_this_host` where SNS delivers.
pub async fn inbox(app: &App, page: PageRequest) -> Result<Page<InboxMessage>, Error> {
    app.own_delivery()?.inbox.messages(page).await
}
