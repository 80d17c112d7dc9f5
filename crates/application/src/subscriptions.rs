//! Subscriptions: made pending, confirmed by their endpoint's owner, changed and ended.

mod pending;
mod subscribe;

use domain::attributes::AttributesChange;
use domain::delivery::DeliveryId;
use domain::filter_policy::{FilterPolicy, Mismatch};
use domain::link_token::{LinkToken, Purpose};
use domain::order::{Order, OrderDetails, OrderId};
use domain::subscription::{EndReason, Subscription, SubscriptionId, SuspensionReason};

use crate::ports::{Page, SubscriptionQuery};
use crate::{App, ChannelMode, Error, orders};
pub use pending::{Pending, PendingReason, pending};
pub use subscribe::{Subscribe, SubscribeAnswer, subscribe};

/// One subscription.
///
/// # Errors
/// `NotFound` with `subscription_not_found`.
pub async fn get(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    let found = app.subscriptions.subscription(id).await?;
    found.ok_or_else(|| Error::not_found("subscription_not_found", "subscription"))
}

/// Subscriptions, newest first.
///
/// # Errors
/// `invalid_cursor`.
pub async fn list(app: &App, query: SubscriptionQuery) -> Result<Page<Subscription>, Error> {
    app.subscriptions.subscriptions(query).await
}

/// Sets or takes away what the change names, and leaves the rest.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `subscription_ended`; `invalid_escalation` if it leads to
/// no other subscription.
pub async fn change(app: &App, id: SubscriptionId, change: AttributesChange) -> Result<Subscription, Error> {
    if let Some(Some(escalation)) = change.escalation {
        subscribe::check_escalation(app, escalation, Some(id)).await?;
    }
    let subscription = app.subscriptions.change_attributes(id, change).await?;
    tracing::info!(subscription_id = %id, "attributes changed");
    Ok(subscription)
}

/// Makes another confirmation request for the subscription.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `already_confirmed` or `subscription_ended`.
pub async fn resend_confirmation(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    let now = app.clock.now();
    let subscription =
        app.subscriptions.resend_confirmation(id, app.randomness.delivery_id(now), now).await?;
    tracing::info!(subscription_id = %id, generation = subscription.generation, "confirmation requested again");
    Ok(subscription)
}

/// Suspends a confirmed subscription. Orders match it all the same, and sent once it is
/// [resumed](resume).
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `not_confirmed` or `subscription_ended`; `not_on_this_host`
/// where SNS delivers.
pub async fn suspend(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    let own = app.local_delivery()?;
    let suspended = own.subscriptions.suspend(id, SuspensionReason::Operator, app.clock.now()).await?;
    tracing::info!(subscription_id = %id, "subscription suspended");
    Ok(suspended)
}

/// Resumes a suspended subscription: what waits is sent, and it is suspended again only after another long failure.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `not_confirmed` or `subscription_ended`; `not_on_this_host`
/// where SNS delivers.
pub async fn resume(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    let resumed = app.local_delivery()?.subscriptions.resume(id, app.clock.now()).await?;
    tracing::info!(subscription_id = %id, "subscription resumed");
    Ok(resumed)
}

/// Gives a webhook a new secret. The answer holds it: it is shown this once.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `no_secret` or `subscription_ended`; `not_on_this_host`
/// where SNS delivers.
pub async fn rotate_secret(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    let next = app.randomness.webhook_secret();
    let rotated = app.local_delivery()?.subscriptions.rotate_secret(id, next, app.clock.now()).await?;
    tracing::info!(subscription_id = %id, "secret rotated");
    Ok(rotated)
}

/// Makes a test for a confirmed subscription and answers the delivery to look at: it is sent, retried and recorded as any
/// other.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `not_confirmed`, `subscription_suspended` or
/// `subscription_ended`; `not_on_this_host` where SNS delivers.
pub async fn send_test(app: &App, id: SubscriptionId) -> Result<DeliveryId, Error> {
    let now = app.clock.now();
    let delivery = app.randomness.delivery_id(now);
    app.local_delivery()?.subscriptions.send_test(id, delivery, now).await?;
    tracing::info!(subscription_id = %id, delivery_id = %delivery, "test is on its way");
    Ok(delivery)
}

/// Ends a subscription at an operator's wish.
///
/// # Errors
/// `NotFound` with `subscription_not_found`.
pub async fn remove(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    end(app, id, EndReason::Removed).await
}

async fn end(app: &App, id: SubscriptionId, reason: EndReason) -> Result<Subscription, Error> {
    let ended = app.subscriptions.unsubscribe(id, reason, app.clock.now()).await?;
    tracing::info!(subscription_id = %id, reason = reason.name(), "subscription ended");
    Ok(ended)
}

/// The order to test a policy with.
#[derive(Debug, Clone)]
pub enum Sample {
    /// One that could be placed now. It gets an id and a time, as if it were.
    New(Box<OrderDetails>),
    /// One that was.
    Placed(OrderId),
}

/// Asks the policy about one order. What it answers holds for the topic of this machine; SNS matches in its own way.
///
/// # Errors
/// `NotFound` with `order_not_found`. That the policy does not want the order is an answer, and says why.
pub async fn test_filter(
    app: &App,
    policy: &FilterPolicy,
    sample: Sample,
) -> Result<Result<(), Mismatch>, Error> {
    let order = match sample {
        Sample::Placed(id) => orders::get(app, id).await?,
        Sample::New(details) => {
            let time = app.clock.now();
            Order { id: app.randomness.order_id(time), time, details: *details, request_id: String::new() }
        }
    };
    Ok(policy.matches(&order))
}

/// Finds the subscription that a confirmation link is for, and changes nothing: what a page shows before its button.
///
/// # Errors
/// `invalid_token`; `subscription_not_found`; `Gone` with `confirmation_replaced`, `confirmation_expired` or
/// `subscription_ended`; `not_on_this_host`.
pub async fn find_by_confirmation_link(app: &App, token: &str) -> Result<Subscription, Error> {
    find(app, token).await.map(|(_, found)| found)
}

/// Confirms the subscription that the link is for: it gets the orders accepted from now on.
///
/// # Errors
/// As [`find_by_confirmation_link`].
pub async fn confirm(app: &App, token: &str) -> Result<Subscription, Error> {
    let (link, found) = find(app, token).await?;
    let own = app.local_delivery()?;
    let in_sandbox = own.channels.get(&found.endpoint.protocol()) != Some(&ChannelMode::Live);
    let now = app.clock.now();
    let confirmed = own.subscriptions.confirm(link.subscription, link.generation, in_sandbox, now).await?;
    tracing::info!(subscription_id = %confirmed.id, endpoint = confirmed.endpoint.masked(), "subscription confirmed");
    Ok(confirmed)
}

/// What a confirmation link says, and the subscription that it may confirm.
async fn find(app: &App, token: &str) -> Result<(LinkToken, Subscription), Error> {
    let link = LinkToken::verify(token, Purpose::Confirm, &app.local_delivery()?.links.key)?;
    let found = app.subscriptions.subscription(link.subscription).await?;
    let found = found.ok_or_else(|| Error::not_found("subscription_not_found", "subscription"))?;
    found.check_confirmation(link.generation, app.clock.now())?;
    Ok((link, found))
}

/// Finds the subscription that an unsubscribe link is for, and changes nothing: what a page shows before its button.
///
/// # Errors
/// `invalid_token`; `subscription_not_found`; `not_on_this_host`.
pub async fn find_by_unsubscribe_link(app: &App, token: &str) -> Result<Subscription, Error> {
    let link = LinkToken::verify(token, Purpose::Unsubscribe, &app.local_delivery()?.links.key)?;
    let found = app.subscriptions.subscription(link.subscription).await?;
    found.ok_or_else(|| Error::not_found("subscription_not_found", "subscription"))
}

/// Ends the subscription that the link is for. Doing so again changes nothing.
///
/// # Errors
/// As [`find_by_unsubscribe_link`].
pub async fn unsubscribe(app: &App, token: &str) -> Result<Subscription, Error> {
    let link = LinkToken::verify(token, Purpose::Unsubscribe, &app.local_delivery()?.links.key)?;
    end(app, link.subscription, EndReason::Unsubscribed).await
}
