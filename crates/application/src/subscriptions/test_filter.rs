//! Tells whether a filter policy wants an order, without storing or sending anything.

use domain::filter_policy::{FilterPolicy, Mismatch};
use domain::order::{Order, OrderDetails, OrderId};

use crate::{App, Error, orders};

/// The order to test a policy with.
#[derive(Debug, Clone)]
pub enum Sample {
    /// One that could be placed now. It gets an id and a time, as if it were.
    New(Box<OrderDetails>),
    /// One that was.
    Placed(OrderId),
}

/// Asks the policy about one order. What it answers holds for the topic of this machine; SNS matches in its own way.
///
/// # Errors
/// `NotFound` with `order_not_found`. That the policy does not want the order is an answer, and says why.
pub async fn test_filter(
    app: &App,
    policy: &FilterPolicy,
    sample: Sample,
) -> Result<Result<(), Mismatch>, Error> {
    let order = match sample {
        Sample::Placed(id) => orders::get(app, id).await?,
        Sample::New(details) => {
            let time = app.clock.now();
            Order { id: app.randomness.order_id(time), time, details: *details, request_id: String::new() }
        }
    };
    Ok(policy.matches(&order))
}
