//! Lets the deliveries of a subscription wait, at an operator's wish: its receiver is being mended.

use domain::subscription::{Subscription, SubscriptionId, SuspensionReason};

use crate::{App, Error};

/// Suspends a confirmed subscription. Orders are owed to it all the same, and sent once it is
/// [resumed](crate::resume_subscription).
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `not_confirmed` or `subscription_ended`; `not_on_this_host`
/// where SNS delivers.
pub async fn suspend_subscription(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    let own = app.own_delivery()?;
    let suspended = own.topic.suspend(id, SuspensionReason::Operator, app.clock.now()).await?;
    tracing::info!(subscription_id = %id, "subscription suspended");
    Ok(suspended)
}
