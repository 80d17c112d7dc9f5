//! Has what waits for its time tried at once.

use crate::ports::RetrySelection;
use crate::{App, Error};

/// Makes the selected pending deliveries due now, leaves their endpoints alone no longer, and answers how many there were.
///
/// # Errors
/// For a single delivery: `NotFound` with `delivery_not_found`, `Conflict` with `not_pending`, `subscription_suspended` or
/// `not_confirmed`. `not_on_this_host` where SNS delivers.
pub async fn retry(app: &App, selection: RetrySelection) -> Result<usize, Error> {
    let count = app.own_delivery()?.records.retry(selection, app.clock.now()).await?;
    tracing::info!(count, "deliveries retried at once");
    Ok(count)
}
