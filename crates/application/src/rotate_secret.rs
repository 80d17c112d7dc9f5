//! Gives a webhook a new secret; the old one signs too for a day.

use domain::subscription::{Subscription, SubscriptionId};

use crate::{App, Error};

/// Makes a new secret. The answer holds it: it is shown this once.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `no_secret` or `subscription_ended`; `not_on_this_host`
/// where SNS delivers.
pub async fn rotate_secret(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    let next = app.randomness.webhook_secret();
    let rotated = app.own_delivery()?.topic.rotate_secret(id, next, app.clock.now()).await?;
    tracing::info!(subscription_id = %id, "secret rotated");
    Ok(rotated)
}
