//! `GET /orders?find=`.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::host::{Host, SEED_BODY};

async fn place(host: &Host, reference: &str) -> String {
    let body = json!({"customerName": "Jo", "productName": "Mouse", "reference": reference}).to_string();
    let placed = host.place(&body).await.json();
    host.clock.advance(Duration::from_hours(1));
    placed["orderId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_places_an_order_is_told_what_it_is_called() {
    let host = Host::start();
    let placed = host.place(SEED_BODY).await;
    let found = find(&host, &format!("find={}", placed.header("short-reference").unwrap())).await;
    assert_eq!(ids(&found), [placed.json()["orderId"].as_str().unwrap()]);
}

async fn find(host: &Host, query: &str) -> Value {
    let answer = host.manage("GET", &format!("/orders?{query}"), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn ids(found: &Value) -> Vec<&str> {
    found["items"].as_array().unwrap().iter().map(|order| order["orderId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_order_is_found_by_its_id_its_short_reference_and_the_shops_own_number() {
    let host = Host::start();
    let (first, _, third) = (place(&host, "A 1").await, place(&host, "A 2").await, place(&host, "a 1").await);
    let shown = host.manage("GET", &format!("/orders/{first}"), "").await.json();
    let short = shown["shortReference"].as_str().unwrap();
    for name in [&first, &first[..14], short, &short.to_lowercase().replace('-', "+")] {
        let found = find(&host, &format!("find={name}")).await;
        assert_eq!((ids(&found), &found["next"]), (vec![first.as_str()], &Value::Null), "{name}");
        assert_eq!(found["items"][0]["shortReference"], short);
    }
    assert_eq!(ids(&find(&host, "find=A+1").await), [&third, &first]);
    assert_eq!(ids(&find(&host, "find=A+3").await), [""; 0]);
    let counted = find(&host, "find=A+2&include=counts").await;
    assert_eq!(counted["items"][0]["published"], false);
}

#[tokio::test]
async fn what_is_found_comes_a_page_at_a_time() {
    let host = Host::start();
    let mut placed = [place(&host, "A 1").await, place(&host, "A 1").await, place(&host, "A 1").await];
    placed.reverse();
    let first = find(&host, "find=a+1&limit=2").await;
    let next = first["next"].as_str().unwrap();
    let second = find(&host, &format!("find=a+1&limit=2&cursor={next}")).await;
    assert_eq!([ids(&first), ids(&second)].concat(), placed);
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test]
async fn what_cannot_be_looked_for_is_named() {
    let host = Host::start();
    for (query, code, field) in [
        ("find=", "invalid_parameter", Some("find")),
        ("find=++", "invalid_parameter", Some("find")),
        (&format!("find={}", "7".repeat(65)), "invalid_parameter", Some("find")),
        ("find=7&from=2026-01-31T12:00:00Z", "conflicting_fields", Some("find")),
        ("find=7&before=2026-01-31T12:00:00Z", "conflicting_fields", Some("find")),
        ("find=7&cursor=1", "invalid_cursor", None),
        ("find=7&cursor=x.1", "invalid_cursor", None),
        ("find=7&cursor=0.nonsense", "invalid_cursor", None),
    ] {
        let problem = host.manage("GET", &format!("/orders?{query}"), "").await;
        let problem = problem.assert_problem(StatusCode::BAD_REQUEST, code);
        assert_eq!(problem["field"].as_str(), field, "{query}");
    }
}
