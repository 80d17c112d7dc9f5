//! `GET /orders` and `GET /orders/{id}`.

mod find;
mod place;
mod spam;
mod status;

use std::time::Duration;

use application::ports::{Clock, DeliveryQueue};
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::DeliveryState;
use domain::endpoint::Protocol;
use http::StatusCode;
use serde_json::{Value, json};

use crate::host::{Host, SEED_BODY};

fn events(order: &Value) -> Vec<&str> {
    order["timeline"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect()
}

async fn show(host: &Host, id: &str) -> Value {
    let answer = host.manage("GET", &format!("/orders/{id}"), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn orders_are_listed_newest_first_a_page_at_a_time() {
    let host = Host::start();
    let mut placed = Vec::new();
    for _ in 0..3 {
        placed.push(host.place_seed().await);
    }
    placed.reverse();
    let first = host.manage("GET", "/orders?limit=2", "").await.json();
    let cursor = first["next"].as_str().unwrap();
    let second = host.manage("GET", &format!("/orders?limit=2&cursor={cursor}"), "").await.json();
    assert_eq!(second["next"], Value::Null);
    let pages = [first["items"].as_array().unwrap().as_slice(), second["items"].as_array().unwrap()].concat();
    let listed: Vec<_> = pages.iter().map(|order| order["orderId"].as_str().unwrap()).collect();
    assert_eq!(listed, placed);
}

#[tokio::test]
async fn orders_are_filtered_by_their_time() {
    let host = Host::start();
    host.place_seed().await;
    host.clock.advance(Duration::from_hours(1));
    let later = host.place_seed().await;
    let found =
        host.manage("GET", "/orders?from=2026-01-31T12:30:00Z&before=2026-01-31T13:30:00Z", "").await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(found["items"][0]["orderId"], later.as_str());
}

#[tokio::test]
async fn what_a_query_cannot_say_is_named() {
    let host = Host::start();
    for (query, code, field) in [
        ("limit=0", "invalid_parameter", "limit"),
        ("limit=201", "invalid_parameter", "limit"),
        ("limit=many", "invalid_parameter", "limit"),
        ("from=yesterday", "invalid_parameter", "from"),
        ("customer=Jo", "unknown_parameter", "customer"),
    ] {
        let problem = host.manage("GET", &format!("/orders?{query}"), "").await;
        assert_eq!(problem.assert_problem(StatusCode::BAD_REQUEST, code)["field"], field);
    }
    let answer = host.manage("GET", "/orders?cursor=nonsense!", "").await;
    answer.assert_problem(StatusCode::BAD_REQUEST, "invalid_cursor");
}

#[tokio::test]
async fn a_list_says_how_far_delivery_has_come_if_it_is_asked() {
    let host = Host::start();
    host.subscribe_confirmed("jo@example.com").await;
    host.subscribe_confirmed("al@example.com").await;
    host.place_seed().await;
    host.publish().await;
    host.place_seed().await;
    let listed = host.manage("GET", "/orders?include=counts", "").await.json();
    let progress =
        |place: usize| ["published", "counts", "countsAreComplete"].map(|name| &listed["items"][place][name]);
    assert_eq!(progress(0), [&json!(false), &json!({}), &json!(true)]);
    assert_eq!(progress(1), [&json!(true), &json!({"pending": 2}), &json!(true)]);
    let plain = host.manage("GET", "/orders", "").await.json();
    assert_eq!(plain["items"][1].get("counts"), None);
    let elsewhere = Host::with(|app, _| app.local_delivery = None);
    elsewhere.place_seed().await;
    let listed = elsewhere.manage("GET", "/orders?include=counts", "").await.json();
    assert_eq!((listed["items"].as_array().unwrap().len(), listed["items"][0].get("counts")), (1, None));
    let refused = host.manage("GET", "/orders?include=everything", "").await;
    refused.assert_problem(StatusCode::BAD_REQUEST, "invalid_parameter");
}

#[tokio::test]
async fn an_order_that_is_not_there_or_whose_id_is_none_is_answered_so() {
    let host = Host::start();
    let absent = host.manage("GET", "/orders/01234567-89ab-7def-8123-456789abcdef", "").await;
    absent.assert_problem(StatusCode::NOT_FOUND, "order_not_found");
    for id in ["nope", "%ff"] {
        let answer = host.manage("GET", &format!("/orders/{id}"), "").await;
        answer.assert_problem(StatusCode::BAD_REQUEST, "invalid_id");
    }
}

#[tokio::test]
async fn personal_data_is_kept_by_nobody_on_the_way() {
    let host = Host::start();
    let id = host.place_seed().await;
    for path in ["/orders".to_owned(), format!("/orders/{id}")] {
        assert_eq!(host.manage("GET", &path, "").await.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn an_order_shows_its_numbers_as_they_were_given() {
    let host = Host::start();
    let body = r#"{"customerName":"Jo","items":[{"productName":"Mouse","quantity":2,"unitPrice":"12.10"}],
        "currency":"EUR","total":24.20,"attributes":{"express":true}}"#;
    let id = host.place(body).await.json()["orderId"].as_str().unwrap().to_owned();
    let order = show(&host, &id).await;
    assert_eq!(order["total"], "24.20");
    assert_eq!(order["items"][0]["unitPrice"], "12.10");
    assert_eq!(order["orderTime"], "2026-01-31T12:00:00Z");
}

#[tokio::test]
async fn an_order_that_is_not_published_says_so() {
    let host = Host::start();
    let order = show(&host, &host.place_seed().await).await;
    assert_eq!((&order["published"], events(&order)), (&json!(false), vec!["accepted"]));
    assert!(order["summary"].as_str().unwrap().starts_with("Not published yet"));
}

#[tokio::test]
async fn an_order_that_nobody_matched_says_so_and_why() {
    let host = Host::start();
    let pending = host.subscribe("pending@example.com").await;
    let picky = host.subscribe_confirmed("picky@example.com").await;
    host.manage("PATCH", &format!("/subscriptions/{picky}"), r#"{"filterPolicy":{"currency":["EUR"]}}"#)
        .await;
    let id = host.place_seed().await;
    host.publish().await;
    let order = show(&host, &id).await;
    assert_eq!(order["deliveries"], json!([]));
    assert!(order["summary"].as_str().unwrap().starts_with("Matched nobody"));
    let mismatch = json!({"key": "currency", "found": [], "reason": "wanted \"EUR\"; found nothing"});
    let of =
        |id: &str, address: &str| json!({"subscriptionId": id, "protocol": "email", "endpoint": address});
    let mut picky = of(&picky, "picky@example.com");
    picky["mismatch"] = mismatch;
    let not_confirmed = of(&pending, "pending@example.com");
    let groups = json!([
        {"because": "filter_policy", "subscriptions": [picky]},
        {"because": "not_confirmed", "subscriptions": [not_confirmed]},
    ]);
    assert_eq!((&order["notMatched"], &order["notMatchedNext"]), (&groups, &json!(null)));
    let listed = host.manage("GET", &format!("/orders/{id}/not-matched"), "").await.json();
    assert_eq!(listed, json!({"items": groups, "next": null}));
}

#[tokio::test]
async fn a_timeline_tells_of_each_attempt_and_the_receivers_own_reply() {
    let host = Host::start();
    let subscription = host.subscribe_confirmed("jo@example.com").await;
    let id = host.place(SEED_BODY).await.json()["orderId"].as_str().unwrap().to_owned();
    host.publish().await;
    host.clock.advance(Duration::from_secs(1));
    let rejected = OutcomeKind::Permanent(Scope::Delivery);
    host.attempt_all(rejected, "550 no such user", DeliveryState::Dead).await;
    let order = show(&host, &id).await;
    assert_eq!(order["published"], true);
    assert_eq!(order["summary"], "Matched 1 subscription");
    assert_eq!(events(&order), ["accepted", "matched", "attempt", "dead"]);
    let attempt = &order["timeline"][2];
    let delivery = &order["deliveries"][0];
    assert_eq!(attempt["deliveryId"], delivery["deliveryId"]);
    assert_eq!(attempt["subscriptionId"], subscription.as_str());
    assert_eq!((&attempt["number"], &attempt["outcome"]), (&json!(1), &json!("permanent")));
    assert_eq!((&attempt["scope"], &attempt["reply"]), (&json!("delivery"), &json!("550 no such user")));
    assert_eq!((&attempt["protocol"], &attempt["endpoint"]), (&json!("email"), &json!("jo@example.com")));
    assert_eq!((&delivery["state"], &delivery["attemptsUsed"]), (&json!("dead"), &json!(1)));
}

#[tokio::test]
async fn a_timeline_tells_what_people_did_and_why_it_was_cancelled() {
    let host = Host::start();
    let subscription = host.subscribe_confirmed("jo@example.com").await;
    let id = host.place_seed().await;
    host.publish().await;
    let second = Duration::from_secs(1);
    let rejected = OutcomeKind::Permanent(Scope::Delivery);
    host.attempt_all(rejected, "550 no such user", DeliveryState::Dead).await;
    host.clock.advance(second);
    host.manage("POST", "/deliveries/redrive", r#"{"state":"dead"}"#).await;
    host.clock.advance(second);
    host.attempt_all(OutcomeKind::Unknown, "the line was lost", DeliveryState::Held).await;
    host.clock.advance(second);
    let delivery = show(&host, &id).await["deliveries"][0]["deliveryId"].as_str().unwrap().to_owned();
    host.manage("POST", &format!("/deliveries/{delivery}/drop"), "").await;
    let order = show(&host, &id).await;
    let expected = ["accepted", "matched", "attempt", "dead", "redriven", "attempt", "held", "cancelled"];
    assert_eq!(events(&order), expected);
    let cancelled = &order["timeline"][7];
    assert_eq!((&cancelled["reason"], &cancelled["deliveryId"]), (&json!("dropped"), &json!(delivery)));
    assert_eq!(order["deliveries"][0]["cancelReason"], "dropped");
    assert_eq!(
        order["deliveries"][0]["interventions"],
        json!([
            {"at": "2026-01-31T12:00:01Z", "kind": "redriven", "stateBefore": "dead", "since": "2026-01-31T12:00:00Z"},
            {"at": "2026-01-31T12:00:03Z", "kind": "dropped", "stateBefore": "held", "since": "2026-01-31T12:00:02Z"},
        ])
    );
    let later = host.place_seed().await;
    host.publish().await;
    host.manage("DELETE", &format!("/subscriptions/{subscription}"), "").await;
    let order = show(&host, &later).await;
    assert_eq!(events(&order), ["accepted", "matched", "cancelled"]);
    assert_eq!(order["timeline"][2]["reason"], "subscription_ended");
}

#[tokio::test]
async fn an_order_that_waits_says_for_what() {
    let host = Host::start();
    let subscription = host.subscribe_confirmed("jo@example.com").await;
    let id = host.place_seed().await;
    host.publish().await;
    let waits = async || {
        let order = show(&host, &id).await;
        let delivery = order["deliveries"][0].clone();
        let path = format!("/deliveries/{}", delivery["deliveryId"].as_str().unwrap());
        assert_eq!(host.manage("GET", &path, "").await.json(), delivery);
        let listed = host.manage("GET", &format!("/deliveries?order={id}"), "").await.json();
        assert_eq!(listed["items"][0], delivery);
        (delivery["waitsBecause"].clone(), delivery["pauseReason"].clone())
    };
    assert_eq!(waits().await, (Value::Null, Value::Null), "it is due");
    let now = host.clock.now();
    host.store.channel_missing(Protocol::Email, now).await.unwrap();
    assert_eq!(waits().await, (json!("channel_paused"), json!("no channel is configured for it")));
    assert!(events(&show(&host, &id).await).contains(&"channel_paused"));
    host.manage("POST", &format!("/subscriptions/{subscription}/suspend"), "").await;
    assert_eq!(waits().await, (json!("subscription_suspended"), Value::Null));
    host.manage("POST", &format!("/subscriptions/{subscription}/resume"), "").await;
    host.store.channel_resumed(Protocol::Email, now).await.unwrap();
    assert_eq!(waits().await.0, Value::Null);
}

#[tokio::test]
async fn a_host_that_does_not_deliver_shows_the_order_alone() {
    let host = Host::with(|app, _| app.local_delivery = None);
    let id = host.place_seed().await;
    let order = show(&host, &id).await;
    assert_eq!((&order["orderId"], order.get("timeline")), (&json!(id), None));
    for path in ["/deliveries", "/inbox"] {
        let answer = host.manage("GET", path, "").await;
        answer.assert_problem(StatusCode::NOT_IMPLEMENTED, "not_on_this_host");
    }
}
