//! An order behind the link that its messages carry.

use domain::attributes::Attributes;
use domain::delivery::DeliveryKind;
use domain::link_token::OrderToken;
use domain::order::{Order, OrderStatus, StatusChange};
use domain::reader::Reader;
use domain::subscription::{Subscription, SubscriptionState};

use crate::{App, Error, ErrorKind};

/// An order as the page behind a message's link shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkedOrder {
    /// The order as far as the subscription is shown it.
    pub order: Order,
    /// What was chosen for the subscription: who reads the page follows from that.
    pub attributes: Attributes,
    /// What a person made of it last.
    pub change: Option<StatusChange>,
}

/// What a link opens.
pub(super) struct Opened {
    pub(super) order: Order,
    pub(super) subscription: Subscription,
    pub(super) change: Option<StatusChange>,
}

/// The order that a message told of, as the message's subscription is shown it now. Nothing is changed.
///
/// # Errors
/// `invalid_token` for what is no link of ours; `Gone` with `link_expired`, with `subscription_ended` once nobody is
/// told there any more, and with `order_over` once the order is completed or cancelled; `NotFound` with `order_not_found`
/// where the message is not here, `Unavailable` with `order_not_shown` where it or its order cannot be read;
/// `not_on_this_host`.
pub async fn linked(app: &App, token: &str) -> Result<LinkedOrder, Error> {
    let Opened { order, subscription, change } = opened(app, token).await?;
    let attributes = subscription.attributes;
    let order = attributes.shown(&order).unwrap_or(order);
    Ok(LinkedOrder { order, attributes, change })
}

/// What a link opens, whole.
pub(super) async fn opened(app: &App, token: &str) -> Result<Opened, Error> {
    let own = app.local_delivery()?;
    let token = OrderToken::verify(token, &own.links.key)?;
    if !token.works(app.clock.now()) {
        return Err(Error::new(ErrorKind::Gone, "link_expired", "This link has expired"));
    }
    let missing = || Error::not_found("order_not_found", "order");
    let delivery = own.deliveries.delivery(token.delivery).await.map_err(not_shown)?.ok_or_else(missing)?;
    let subscription = app.subscriptions.subscription(delivery.subscription).await.map_err(not_shown)?;
    let subscription = subscription.ok_or_else(missing)?;
    match subscription.state {
        SubscriptionState::Confirmed | SubscriptionState::Suspended => {}
        SubscriptionState::Pending | SubscriptionState::Ended => {
            let message = "The subscription that this link was sent to has ended";
            return Err(Error::new(ErrorKind::Gone, "subscription_ended", message));
        }
    }
    let order = delivery.order.filter(|_| delivery.kind == DeliveryKind::Notification).ok_or_else(missing)?;
    let order = app.orders.order(order).await.map_err(not_shown)?.ok_or_else(missing)?;
    let change = own.statuses.last_status_changes(vec![order.id]).await?.remove(&order.id);
    let opened = Opened { order, subscription, change };
    match opened.status() {
        OrderStatus::New | OrderStatus::Acknowledged => Ok(opened),
        OrderStatus::Completed | OrderStatus::Cancelled => {
            let message = "The order is completed or cancelled";
            Err(Error::new(ErrorKind::Gone, "order_over", message))
        }
    }
}

impl Opened {
    /// What people made of the order.
    pub(super) fn status(&self) -> OrderStatus {
        self.change.as_ref().map(|change| change.status).unwrap_or_default()
    }
}

/// What is damaged is none of a reader's business; who mends it finds it in the log.
fn not_shown(error: Error) -> Error {
    if error.code != "unreadable_row" {
        return error;
    }
    let message = "The order cannot be shown at present";
    let cause = error.message.clone();
    Error::new(ErrorKind::Unavailable, "order_not_shown", message).because(cause)
}

impl LinkedOrder {
    /// Who reads it, where that holds for the shop.
    #[must_use]
    pub fn reader(&self, app: &App) -> Reader {
        Reader::of(&app.shop, &self.attributes)
    }
}
