//! Changes which orders a subscription wants, from the next order on.

use domain::filter_policy::FilterPolicy;
use domain::subscription::{Subscription, SubscriptionId};

use crate::{App, Error};

/// Sets or, with `None`, removes the filter policy.
///
/// # Errors
/// `NotFound` with `subscription_not_found`; `Conflict` with `subscription_ended`.
pub async fn change_filter_policy(
    app: &App,
    id: SubscriptionId,
    policy: Option<FilterPolicy>,
) -> Result<Subscription, Error> {
    let subscription = app.topic.set_filter_policy(id, policy).await?;
    tracing::info!(subscription_id = %id, "filter policy changed");
    Ok(subscription)
}
