//! Sends to a suspended subscription again.

use domain::subscription::{Subscription, SubscriptionId};

use crate::{App, Error};

/// Resumes a suspended subscription: what waits is sent, and it is suspended again only after another long failure.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `not_confirmed` or `subscription_ended`; `not_on_this_host`
/// where SNS delivers.
pub async fn resume_subscription(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    let resumed = app.own_delivery()?.topic.resume(id, app.clock.now()).await?;
    tracing::info!(subscription_id = %id, "subscription resumed");
    Ok(resumed)
}
