//! Sends dead and held deliveries again.

use crate::ports::RedriveSelection;
use crate::{App, Error};

/// Makes the selected deliveries pending again and answers how many there were.
///
/// # Errors
/// For a single delivery: `NotFound` with `delivery_not_found`, `Conflict` with `not_redrivable` or
/// `subscription_ended`. `not_on_this_host` where SNS delivers.
pub async fn redrive(app: &App, selection: RedriveSelection) -> Result<usize, Error> {
    let count = app.own_delivery()?.records.redrive(selection, app.clock.now()).await?;
    tracing::info!(count, "deliveries redriven");
    Ok(count)
}
