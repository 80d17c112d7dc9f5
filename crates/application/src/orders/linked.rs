//! An order behind the link that its messages carry.

use domain::attributes::Attributes;
use domain::delivery::DeliveryKind;
use domain::link_token::OrderToken;
use domain::order::Order;
use domain::reader::Reader;
use domain::subscription::SubscriptionState;

use crate::{App, Error, ErrorKind};

/// An order as the page behind a message's link shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkedOrder {
    /// The order as far as the subscription is shown it.
    pub order: Order,
    /// What was chosen for the subscription: who reads the page follows from that.
    pub attributes: Attributes,
}

/// The order that a message told of, as the message's subscription is shown it now. Nothing is changed.
///
/// # Errors
/// `invalid_token` for what is no link of ours; `Gone` with `link_expired`, or with `subscription_ended` once nobody is
/// told there any more; `NotFound` with `order_not_found` where the message is not here, `Unavailable` with
/// `order_not_shown` where it or its order cannot be read; `not_on_this_host`.
pub async fn linked(app: &App, token: &str) -> Result<LinkedOrder, Error> {
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
    let attributes = subscription.attributes;
    let order = attributes.shown(&order).unwrap_or(order);
    Ok(LinkedOrder { order, attributes })
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
