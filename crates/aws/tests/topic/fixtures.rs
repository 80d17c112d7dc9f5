//! What is put into the topic.

use application::ports::NewSubscription;
use domain::Timestamp;
use domain::attributes::Attributes;
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::filter_policy::FilterPolicy;
use domain::order::{LoggedOrder, Order, OrderDetails, OrderId, Seq};
use domain::subscription::SubscriptionId;

pub(crate) fn start() -> Timestamp {
    "2026-03-04T05:06:07Z".parse().unwrap()
}

/// The order of that number, as it was read from a log.
pub(crate) fn logged(number: u8) -> LoggedOrder {
    let details = OrderDetails::parse(br#"{"customerName":"Ada","productName":"Mouse","currency":"EUR"}"#);
    let id = OrderId::new(start(), [number; 10]);
    let order = Order { id, time: start(), details: details.unwrap(), request_id: "request-1".to_owned() };
    LoggedOrder { seq: Seq(i64::from(number)), order }
}

pub(crate) fn orders(numbers: std::ops::Range<u8>) -> Vec<LoggedOrder> {
    numbers.map(logged).collect()
}

pub(crate) fn ids(orders: &[LoggedOrder]) -> Vec<OrderId> {
    orders.iter().map(|logged| logged.order.id).collect()
}

/// Their ids as a table has them, sorted.
pub(crate) fn keys(orders: &[LoggedOrder]) -> Vec<String> {
    let mut keys: Vec<_> = orders.iter().map(|logged| logged.order.id.to_string()).collect();
    keys.sort();
    keys
}

pub(crate) fn policy(json: &str) -> FilterPolicy {
    FilterPolicy::parse(json).unwrap()
}

pub(crate) fn new(protocol: Protocol, endpoint: &str) -> NewSubscription {
    NewSubscription {
        id: SubscriptionId::new(start(), [1; 10]),
        endpoint: Endpoint::parse(protocol, endpoint).unwrap(),
        attributes: Attributes::default(),
        secret: None,
        confirmation: DeliveryId::new(start(), [2; 10]),
        now: start(),
    }
}
