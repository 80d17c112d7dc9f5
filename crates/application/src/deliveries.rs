//! Deliveries: looked at, sent again, hurried and given up by people. How they are made is the
//! [engine's](crate::deliver).

use domain::delivery::DeliveryId;
use domain::receipt::Receipt;

use crate::ports::{DeliveryQuery, DeliveryRecord, DropSelection, Page, RedriveSelection, RetrySelection};
use crate::{App, Error};

/// One delivery.
///
/// # Errors
/// `NotFound` with `delivery_not_found`; `not_on_this_host` where SNS delivers.
pub async fn get(app: &App, id: DeliveryId) -> Result<DeliveryRecord, Error> {
    let found = app.local_delivery()?.deliveries.delivery(id).await?;
    found.ok_or_else(|| Error::not_found("delivery_not_found", "delivery"))
}

/// Deliveries, newest first.
///
/// # Errors
/// `invalid_cursor`; `not_on_this_host` where SNS delivers.
pub async fn list(app: &App, query: DeliveryQuery) -> Result<Page<DeliveryRecord>, Error> {
    app.local_delivery()?.deliveries.deliveries(query).await
}

/// Makes the selected deliveries pending again and answers how many there were.
///
/// # Errors
/// For a single delivery: `NotFound` with `delivery_not_found`, `Conflict` with `not_redrivable` or
/// `subscription_ended`. `not_on_this_host` where SNS delivers.
pub async fn redrive(app: &App, selection: RedriveSelection) -> Result<usize, Error> {
    let count = app.local_delivery()?.deliveries.redrive(selection, app.clock.now()).await?;
    tracing::info!(count, "deliveries redriven");
    Ok(count)
}

/// Makes the selected pending deliveries due now, leaves their endpoints alone no longer, and answers how many there
/// were.
///
/// # Errors
/// For a single delivery: `NotFound` with `delivery_not_found`, `Conflict` with `not_pending`, `subscription_suspended` or
/// `not_confirmed`. `not_on_this_host` where SNS delivers.
pub async fn retry(app: &App, selection: RetrySelection) -> Result<usize, Error> {
    let count = app.local_delivery()?.deliveries.retry(selection, app.clock.now()).await?;
    tracing::info!(count, "deliveries retried at once");
    Ok(count)
}

/// Cancels the selected deliveries and answers how many there were. To send one (again) instead,
/// [redrive] or [retry] it.
///
/// # Errors
/// For a single delivery: `NotFound` with `delivery_not_found`, `Conflict` with `not_droppable`. `not_on_this_host` where
/// SNS delivers.
pub async fn drop(app: &App, selection: DropSelection) -> Result<usize, Error> {
    let count = app.local_delivery()?.deliveries.drop_deliveries(selection, app.clock.now()).await?;
    tracing::info!(count, "deliveries dropped");
    Ok(count)
}

/// Writes the receipt of that attempt into the delivery's timeline; a bad one moves a delivered message to dead, a good
/// one settles what was unknown, and one from a receiver who wants nothing more ends the subscription. The caller has
/// proved that the provider sent it.
///
/// # Errors
/// `NotFound` with `delivery_not_found` or `attempt_not_found`; `not_on_this_host` where SNS delivers.
pub async fn record_receipt(app: &App, id: DeliveryId, attempt: u32, receipt: Receipt) -> Result<(), Error> {
    let status = receipt.status.name();
    app.local_delivery()?.deliveries.receipt(id, attempt, receipt, app.clock.now()).await?;
    metrics::counter!("orderbell_receipts_total", "status" => status).increment(1);
    tracing::info!(delivery_id = %id, attempt, status, "receipt recorded");
    Ok(())
}
