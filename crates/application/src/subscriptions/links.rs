//! What subscribers do by the links in their messages.

use domain::link_token::{LinkToken, Purpose};
use domain::subscription::{EndReason, Subscription};

use super::end;
use crate::{App, ChannelMode, Error};

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
