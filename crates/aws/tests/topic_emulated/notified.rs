//! From the table to the subscriber.

use application::ports::{OrderLog as _, OrderStore as _, Publisher as _, Subscriptions as _};
use domain::reader::Reader;
use serde_json::Value;

use crate::fixtures::{Host, Subscriber, order_of};

const ORDER: &str = r#"{"customerName":"Zoë \"Z\"","items":[{"productName":"Mouse","sku":"M-1","quantity":2,
    "unitPrice":"19.90"},{"productName":"Pad 📦","quantity":1}],"total":"59.70","currency":"EUR"}"#;

#[tokio::test]
async fn a_subscriber_over_http_is_sent_the_structured_notification_and_only_once() {
    let (host, subscriber) = (Host::new().await, Subscriber::listening().await);
    host.subscribe(&subscriber.url, None).await;
    let order = order_of(ORDER);
    host.table.accept(order.clone(), None).await.unwrap();
    let unpublished = host.table.unpublished(10).await.unwrap();
    assert_eq!(host.topic.publish(&unpublished).await.unwrap().failed, []);
    assert_eq!(host.topic.publish(&unpublished).await.unwrap().failed, []);
    let received = subscriber.received();
    assert_eq!(received.len(), 1);
    assert_eq!(
        (&received[0]["Type"], &received[0]["Subject"]),
        (&"Notification".into(), &"New Order Notification".into())
    );
    let event: Value = serde_json::from_str(received[0]["Message"].as_str().unwrap()).unwrap();
    assert_eq!(
        event,
        serde_json::to_value(domain::notification::event(
            &order,
            domain::notification::text(&order, &Reader::default())
        ))
        .unwrap()
    );
    assert_eq!(host.table.unpublished(10).await.unwrap(), []);
}

#[tokio::test]
async fn a_hundred_orders_reach_the_subscriber_each_once() {
    let (host, subscriber) = (Host::new().await, Subscriber::listening().await);
    host.subscribe(&subscriber.url, None).await;
    let mut placed = Vec::new();
    for _ in 0..100 {
        let order = order_of(ORDER);
        placed.push(order.id.to_string());
        host.table.accept(order, None).await.unwrap();
    }
    let unpublished = host.table.unpublished(1_000).await.unwrap();
    assert_eq!(host.topic.publish(&unpublished).await.unwrap().failed, []);
    placed.sort();
    assert_eq!(subscriber.told_of(), placed);
}

#[tokio::test]
async fn orders_that_the_topic_could_not_take_are_reported_unmarked_and_taken_later() {
    let (host, subscriber) = (Host::new().await, Subscriber::listening().await);
    // Moto fails a publish to a subscriber that is not there, and says nothing of it.
    let gone = host.subscribe("http://127.0.0.1:9/gone", None).await;
    let order = order_of(ORDER);
    host.table.accept(order.clone(), None).await.unwrap();
    let unpublished = host.table.unpublished(10).await.unwrap();
    assert_eq!(host.topic.publish(&unpublished).await.unwrap().failed, [order.id]);
    assert_eq!(host.table.unpublished(10).await.unwrap(), unpublished);

    host.topic.unsubscribe(gone.id, domain::subscription::EndReason::Removed, order.time).await.unwrap();
    host.subscribe(&subscriber.url, None).await;
    assert_eq!(host.topic.publish(&unpublished).await.unwrap().failed, []);
    assert_eq!(subscriber.told_of(), [order.id.to_string()]);
    assert_eq!(host.table.unpublished(10).await.unwrap(), []);
}

#[tokio::test]
async fn the_largest_order_is_delivered() {
    let (host, subscriber) = (Host::new().await, Subscriber::listening().await);
    host.subscribe(&subscriber.url, None).await;
    let name = "\\\"".repeat(254);
    let items: Vec<_> =
        (10..100).map(|n| format!(r#"{{"productName":"{n}{name}","quantity":1000000}}"#)).collect();
    let body = format!(r#"{{"customerName":"Ada","items":[{}]}}"#, items.join(","));
    assert!((48 * 1_024..64 * 1_024).contains(&body.len()), "{}", body.len());
    let order = order_of(&body);
    host.table.accept(order.clone(), None).await.unwrap();
    let unpublished = host.table.unpublished(10).await.unwrap();
    assert_eq!(host.topic.publish(&unpublished).await.unwrap().failed, []);
    assert_eq!(subscriber.told_of(), [order.id.to_string()]);
}
