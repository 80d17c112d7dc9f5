//! Gives up a delivery that is held: a person knows that it arrived, or that it need not.

use domain::delivery::DeliveryId;

use crate::{App, Error};

/// Cancels a held delivery. To send it (again) instead, [redrive](crate::redrive) it.
///
/// # Errors
/// `NotFound` with `delivery_not_found`; `Conflict` with `not_held`; `not_on_this_host` where SNS delivers.
pub async fn drop_delivery(app: &App, id: DeliveryId) -> Result<(), Error> {
    app.own_delivery()?.records.drop_held(id, app.clock.now()).await?;
    tracing::info!(delivery_id = %id, "held delivery dropped");
    Ok(())
}
