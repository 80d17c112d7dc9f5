//! Records what a provider reports of a message after it took it.

use domain::delivery::DeliveryId;
use domain::receipt::Receipt;

use crate::{App, Error};

/// Writes the receipt of that attempt into the delivery's timeline; a bad one moves a delivered message to dead, a good
/// one settles what was unknown, and one from a receiver who wants nothing more ends the subscription. The caller has
/// proved that the provider sent it.
///
/// # Errors
/// `NotFound` with `delivery_not_found` or `attempt_not_found`; `not_on_this_host` where SNS delivers.
pub async fn record(app: &App, id: DeliveryId, attempt: u32, receipt: Receipt) -> Result<(), Error> {
    let status = receipt.status.name();
    app.local_delivery()?.deliveries.receipt(id, attempt, receipt, app.clock.now()).await?;
    metrics::counter!("orderbell_receipts_total", "status" => status).increment(1);
    tracing::info!(delivery_id = %id, attempt, status, "receipt recorded");
    Ok(())
}
