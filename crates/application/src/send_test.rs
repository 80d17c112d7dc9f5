//! Sends a subscriber a test, so that an operator sees whether messages arrive.

use domain::delivery::DeliveryId;
use domain::subscription::SubscriptionId;

use crate::{App, Error};

/// Owes a confirmed subscription a test and answers the delivery to look at: it is sent, retried and recorded as any
/// other.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `not_confirmed`, `subscription_suspended` or
/// `subscription_ended`; `not_on_this_host` where SNS delivers.
pub async fn send_test(app: &App, id: SubscriptionId) -> Result<DeliveryId, Error> {
    let now = app.clock.now();
    let delivery = app.randomness.delivery_id(now);
    app.own_delivery()?.topic.send_test(id, delivery, now).await?;
    tracing::info!(subscription_id = %id, delivery_id = %delivery, "test is on its way");
    Ok(delivery)
}
