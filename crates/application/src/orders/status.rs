//! What people make of orders: whether one has seen it, and what came of it.

use std::collections::BTreeMap;

use domain::order::{Order, OrderId, OrderStatus, StatusChange, Way};

use super::linked::opened;
use crate::ports::Changed;
use crate::{App, Error, ErrorKind};

/// Changes an order's status for an operator, who may give a name.
///
/// # Errors
/// `NotFound` with `order_not_found`; `Conflict` with `status_conflict`, which says what the order is, where that cannot be done
/// with it, and with `too_many_changes`; `not_on_this_host` where SNS delivers.
pub async fn change_status(
    app: &App,
    id: OrderId,
    status: OrderStatus,
    who: Option<String>,
) -> Result<(), Error> {
    change(app, id, status, who, Way::Operator).await
}

/// Changes a status for whoever has the link of a message: acknowledges the order, or takes that back, and no more. Who was
/// sent the link is on record.
///
/// # Errors
/// As [`linked`](super::linked()) has them; `Conflict` as [`change_status`] has it.
pub async fn change_status_by_link(
    app: &App,
    token: &str,
    status: OrderStatus,
    who: Option<String>,
) -> Result<(), Error> {
    let opened = opened(app, token).await?;
    let is = opened.status();
    let may = matches!(
        (is, status),
        (OrderStatus::New, OrderStatus::Acknowledged) | (OrderStatus::Acknowledged, OrderStatus::New)
    );
    if !may {
        return Err(conflict(opened.change.as_ref()));
    }
    let way = Way::Link { to: opened.subscription.endpoint.masked() };
    change(app, opened.order.id, status, who, way).await
}

async fn change(
    app: &App,
    id: OrderId,
    status: OrderStatus,
    who: Option<String>,
    way: Way,
) -> Result<(), Error> {
    let own = app.local_delivery()?;
    let way_name = way.name();
    let change = StatusChange { status, at: app.clock.now(), who, way };
    match own.statuses.change_status(id, change).await? {
        Changed::Made => {
            tracing::info!(order_id = %id, %status, way = way_name, "an order's status changed");
            Ok(())
        }
        Changed::Refused(last) => Err(conflict(last.as_ref())),
    }
}

/// Says what the order is, since when, and who made it that.
fn conflict(last: Option<&StatusChange>) -> Error {
    let message = match last {
        None => "The order is new".to_owned(),
        Some(StatusChange { status, at, who, way }) => {
            let by = match (who, way) {
                (Some(who), _) => format!(" by {who}"),
                (None, Way::Link { to }) => format!(" by the link sent to {to}"),
                (None, Way::Operator) => String::new(),
            };
            format!("The order is {status} since {at}{by}")
        }
    };
    Error::new(ErrorKind::Conflict, "status_conflict", message).at_field("status")
}

/// The last change of each of these orders that has any; none where SNS delivers.
///
/// # Errors
/// The store cannot be read.
pub async fn last_status_changes(
    app: &App,
    orders: &[Order],
) -> Result<BTreeMap<OrderId, StatusChange>, Error> {
    let Some(own) = &app.local_delivery else { return Ok(BTreeMap::new()) };
    own.statuses.last_status_changes(orders.iter().map(|order| order.id).collect()).await
}
