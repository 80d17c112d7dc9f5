//! Takes an order: validated, stored once, answered. Publishing follows from the log, not from here.

use domain::order::idempotency::IdempotencyKey;
use domain::order::{Order, OrderDetails, OrderId};

use crate::ports::{Acceptance, Idempotency, Origin};
use crate::{App, Error, ErrorKind};

/// A request to place an order.
#[derive(Debug, Clone)]
pub struct PlaceOrder {
    /// What was ordered.
    pub details: OrderDetails,
    /// The client's key, if it sent one.
    pub key: Option<IdempotencyKey>,
    /// Whose key that is; empty for anonymous callers.
    pub caller: String,
    /// From where an anonymous caller came.
    pub origin: Option<Origin>,
    /// The request's id, as the log has it.
    pub request_id: String,
}

/// What the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The order's id.
    pub id: OrderId,
    /// The order had been stored before, under the same key.
    pub repeated: bool,
}

/// Stores an order, once for its key.
///
/// # Errors
/// `Unprocessable` with `idempotency_key_reused` if the key was used for another order; what the store says otherwise.
pub async fn place_order(app: &App, request: PlaceOrder) -> Result<Placed, Error> {
    let now = app.clock.now();
    let idempotency = request.key.map(|key| Idempotency {
        scope: request.caller,
        origin: request.origin,
        key,
        fingerprint: request.details.fingerprint(),
        lifetime: app.idempotency_lifetime,
    });
    let id = app.randomness.order_id(now);
    let request_id = request.request_id;
    let order = Order { id, time: now, details: request.details, request_id: request_id.clone() };
    match app.orders.accept(order, idempotency).await? {
        Acceptance::Stored => {
            metrics::counter!("orderbell_orders_accepted_total").increment(1);
            tracing::info!(order_id = %id, request_id, "order accepted");
            Ok(Placed { id, repeated: false })
        }
        Acceptance::Repeated(id) => {
            metrics::counter!("orderbell_orders_repeated_total").increment(1);
            tracing::info!(order_id = %id, request_id, "order repeated under the same key");
            Ok(Placed { id, repeated: true })
        }
        Acceptance::KeyReused => Err(Error::new(
            ErrorKind::Unprocessable,
            "idempotency_key_reused",
            "This Idempotency-Key was used for another order",
        )),
    }
}
