//! Sends the confirmation of a pending subscription again; the links sent before die.

use domain::subscription::{Subscription, SubscriptionId};

use crate::{App, Error};

/// Owes the subscription another confirmation.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `already_confirmed` or `subscription_ended`.
pub async fn resend_confirmation(app: &App, id: SubscriptionId) -> Result<Subscription, Error> {
    let now = app.clock.now();
    let subscription = app.topic.resend_confirmation(id, app.randomness.delivery_id(now), now).await?;
    tracing::info!(subscription_id = %id, generation = subscription.generation, "confirmation requested again");
    Ok(subscription)
}
