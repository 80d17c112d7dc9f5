//! Says that orders are spam, and takes that back.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::order::{Order, OrderId};

use crate::ports::{SpamMark, SpamSelection};
use crate::{App, Error};

/// Marks orders as spam: what waits for them is cancelled, and nothing more of them is sent. Answers how many were marked.
///
/// # Errors
/// `NotFound` with `order_not_found`; `not_on_this_host` where SNS delivers.
pub async fn mark_spam(app: &App, selection: SpamSelection) -> Result<usize, Error> {
    let marked = app.own_delivery()?.spam.mark_spam(selection, app.clock.now()).await?;
    tracing::info!(marked, "orders marked as spam");
    Ok(marked)
}

/// Takes an order's mark back. It sends nothing by itself: what was cancelled stays cancelled.
///
/// # Errors
/// `NotFound` with `order_not_found`; `not_on_this_host` where SNS delivers.
pub async fn unmark_spam(app: &App, id: OrderId) -> Result<(), Error> {
    app.own_delivery()?.spam.unmark_spam(id, app.clock.now()).await?;
    tracing::info!(order_id = %id, "order is no longer marked as spam");
    Ok(())
}

/// Since when each of these orders is spam that is; none where SNS delivers.
///
/// # Errors
/// The store cannot be read.
pub async fn spam_among(app: &App, orders: &[Order]) -> Result<BTreeMap<OrderId, Timestamp>, Error> {
    let Some(own) = &app.own_delivery else { return Ok(BTreeMap::new()) };
    let marks = own.spam.spam_marks(orders.iter().map(|order| order.id).collect()).await?;
    let since = |(id, mark): (OrderId, SpamMark)| Some((id, mark.since()?));
    Ok(marks.into_iter().filter_map(since).collect())
}
