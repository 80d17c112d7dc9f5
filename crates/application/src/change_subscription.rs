//! Changes the attributes of a subscription, from the next order on.

use domain::attributes::AttributesChange;
use domain::subscription::{Subscription, SubscriptionId};

use crate::subscribe::check_escalation;
use crate::{App, Error};

/// Sets or takes away what the change names, and leaves the rest.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `subscription_ended`; `invalid_escalation` if it leads to
/// no other subscription.
pub async fn change_subscription(
    app: &App,
    id: SubscriptionId,
    change: AttributesChange,
) -> Result<Subscription, Error> {
    if let Some(Some(escalation)) = change.escalation {
        check_escalation(app, escalation, Some(id)).await?;
    }
    let subscription = app.topic.change_attributes(id, change).await?;
    tracing::info!(subscription_id = %id, "attributes changed");
    Ok(subscription)
}
