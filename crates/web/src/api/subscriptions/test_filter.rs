//! `POST /subscriptions/test-filter`: whether a filter policy wants an order.

use std::sync::Arc;

use application::subscriptions::{self, Sample};
use axum::extract::State;
use axum::response::Response;
use domain::filter_policy::Mismatch;
use domain::order::{OrderDetails, OrderId, Warning};
use http::StatusCode;
use serde::Serialize;

use super::attributes::filter_policy;
use crate::access::Admin;
use crate::api::json_response;
use crate::body::{Members, RawBody};
use crate::problem::Problem;
use crate::state::Web;

/// What the policy said.
#[derive(Serialize)]
struct Tested {
    matches: bool,
    /// Why it does not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<Mismatch>,
    /// What of the order was not taken as it came: a policy does not see that where it was meant to stand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// Asks a policy about an order as it would be placed, or about one that was. Nothing is stored or sent.
pub(super) async fn test_filter(
    _: Admin,
    State(web): State<Arc<Web>>,
    RawBody(json): RawBody,
) -> Result<Response, Problem> {
    let members = Members::read(&json, &["filterPolicy", "filterPolicyScope", "order", "orderId"])?;
    let missing = |name: &'static str, detail: &'static str| Problem::invalid("missing_field", name, detail);
    let policy = members.raw("filterPolicy").map(|json| filter_policy(json, &members)).transpose()?.flatten();
    let policy = policy.ok_or_else(|| missing("filterPolicy", "filterPolicy is missing"))?;
    let order = members.raw("order").filter(|json| *json != "null");
    let mut warnings = Vec::new();
    let sample = match (order, members.text("orderId")?) {
        (Some(order), None) => {
            let order = order_details(order)?;
            warnings.clone_from(&order.warnings);
            Sample::New(Box::new(order))
        }
        (None, Some(id)) => Sample::Placed(order_id(&id)?),
        (None, None) => return Err(missing("order", "Give an order, or the orderId of one")),
        (Some(_), Some(_)) => {
            let detail = "Give either order or orderId, not both";
            return Err(Problem::invalid("conflicting_fields", "orderId", detail));
        }
    };
    let because = subscriptions::test_filter(&web.app, &policy, sample).await?.err();
    Ok(json_response(StatusCode::OK, &Tested { matches: because.is_none(), because, warnings }))
}

/// An order in the form of `POST /create-order`; errors name its members as `order.customerName`.
fn order_details(json: &str) -> Result<OrderDetails, Problem> {
    OrderDetails::parse(json.as_bytes()).map_err(|invalid| {
        let field = format!("order.{}", invalid.field);
        Problem::invalid(invalid.code, field.trim_end_matches('.'), invalid.message)
    })
}

fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse()
        .map_err(|_| Problem::invalid("invalid_id", "orderId", "orderId must be an order's id, a UUID"))
}
