//! Ends a subscription: by the link in a message, or by an operator. What is pending for it is cancelled.

use domain::link_token::{LinkToken, Purpose};
use domain::subscription::{EndReason, Subscription, SubscriptionId};

use crate::{App, Error};

/// Finds the subscription that an unsubscribe link is for, and changes nothing: what a page shows before its button.
///
/// # Errors
/// `invalid_token`; `subscription_not_found`; `not_on_this_host`.
pub async fn find_by_unsubscribe_link(app: &App, token: &str) -> Result<Subscription, Error> {
    let link = LinkToken::verify(token, Purpose::Unsubscribe, &app.own_delivery()?.link_key)?;
    let found = app.topic.subscription(link.subscription).await?;
    found.ok_or_else(|| Error::not_found("subscription_not_found", "subscription"))
}

/// Ends the subscription that the link is for. Doing so again changes nothing.
///
/// # Errors
/// As [`find_by_unsubscribe_link`].
pub async fn unsubscribe(app: &App, token: &str) -> Result<Subscription, Error> {
    let link = LinkToken::verify(token, Purpose::Unsubscribe, &app.own_delivery()?.link_key)?;
    end(app, link.subscription, EndReason::Unsubscribed).await
}

/// Ends a subscription at an operator's wish.
///
/// # Errors
/// `NotFound` with `subscription_not_found`.
pub async fn remove_subscription(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    end(app, id, EndReason::Removed).await
}

async fn end(app: &App, id: SubscriptionId, reason: EndReason) -> Result<Subscription, Error> {
    let ended = app.topic.unsubscribe(id, reason, app.clock.now()).await?;
    tracing::info!(subscription_id = %id, reason = reason.name(), "subscription ended");
    Ok(ended)
}
