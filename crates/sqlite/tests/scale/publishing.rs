//! Publishing an order to thousands.

use application::ports::{LocalSubscriptions, OrderLog, OrderStore, Publisher, Subscriptions};
use domain::attributes::AttributesChange;
use domain::filter_policy::FilterPolicy;
use domain::order::{Order, OrderDetails, OrderId};
use domain::subscription::{EndReason, SuspensionReason};

use crate::store::{Cost, Large, READY, at_most, costs, now, subscription};

fn place(large: &Large, number: u8) {
    let details = OrderDetails::parse(br#"{"customerName":"Ada","productName":"Mouse"}"#).unwrap();
    let id = OrderId::new(now(), [number; 10]);
    let order = Order { id, time: now(), details, request_id: String::new() };
    large.run(large.store.accept(order, None)).0.unwrap();
}

/// How many deliveries came of it, and what it cost.
fn publish(large: &Large) -> (usize, Cost) {
    let unpublished = large.read(large.store.unpublished(10)).0.unwrap();
    let (published, cost) = large.run(large.store.publish(&unpublished));
    (published.unwrap().deliveries, cost)
}

#[test]
fn an_order_to_thousands_is_published_in_parts_with_what_is_kept_in_memory() {
    let large = Large::after("");
    place(&large, 1);
    let (deliveries, cost) = publish(&large);
    assert_eq!(i64::try_from(deliveries), Ok(READY));
    at_most("publish: commits for 5,000 deliveries", cost.commits.len() as u64, 5);
    costs("publish: 1,000 deliveries of one order", cost.dearest(), 1_000 * 4 + 20, 1_000 * 300);
    costs("publish: versions of 15,000 subscriptions, once", cost.reads, 10, 15_000 * 40);
    place(&large, 2);
    let (deliveries, cost) = publish(&large);
    assert_eq!(i64::try_from(deliveries), Ok(READY));
    costs("publish: versions, the next time", cost.reads, 10, 100);
}

#[test]
fn cached_candidates_follow_every_change() {
    let large = Large::after("");
    let published = |number| {
        place(&large, number);
        i64::try_from(publish(&large).0).unwrap()
    };
    assert_eq!(published(1), READY);
    large.run(large.store.unsubscribe(subscription(1), EndReason::Removed, now())).0.unwrap();
    assert_eq!(published(2), READY - 1);
    large.run(large.store.suspend(subscription(2), SuspensionReason::Operator, now())).0.unwrap();
    assert_eq!(published(3), READY - 1, "orders match it all the same");
    let policy = FilterPolicy::parse(r#"{"productName":["Pad"]}"#).unwrap();
    let change = AttributesChange { filter_policy: Some(Some(policy)), ..AttributesChange::default() };
    place(&large, 4);
    large.run(large.store.change_attributes(subscription(3), change)).0.unwrap();
    assert_eq!(i64::try_from(publish(&large).0), Ok(READY - 1), "the order was there before the change");
    assert_eq!(published(5), READY - 2);
}
