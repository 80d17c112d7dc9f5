//! Gives up deliveries: a person knows that they arrived, or that they need not.

use crate::ports::DropSelection;
use crate::{App, Error};

/// Cancels the selected deliveries and answers how many there were. To send one (again) instead,
/// [redrive](crate::redrive) or [retry](crate::retry) it.
///
/// # Errors
/// For a single delivery: `NotFound` with `delivery_not_found`, `Conflict` with `not_droppable`. `not_on_this_host` where
/// SNS delivers.
pub async fn drop_deliveries(app: &App, selection: DropSelection) -> Result<usize, Error> {
    let count = app.own_delivery()?.records.drop_deliveries(selection, app.clock.now()).await?;
    tracing::info!(count, "deliveries dropped");
    Ok(count)
}
