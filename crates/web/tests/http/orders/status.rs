//! `/orders/{id}/status`: what people make of an order.

use http::StatusCode;
use serde_json::{Value, json};

use crate::host::Host;

async fn change(host: &Host, order: &str, body: Value) -> crate::host::Answer {
    host.manage("POST", &format!("/orders/{order}/status"), &body.to_string()).await
}

#[tokio::test]
async fn a_status_is_changed_by_a_person_and_each_change_is_on_record() {
    let host = Host::start();
    let order = host.place_seed().await;
    let shown = host.manage("GET", &format!("/orders/{order}"), "").await.json();
    assert_eq!((&shown["status"], &shown["statusChange"]), (&json!("new"), &Value::Null));
    let at = "2026-01-31T12:00:00Z";
    for (status, by, event) in [
        ("acknowledged", Some("Maria"), "order_acknowledged"),
        ("new", None, "order_reopened"),
        ("completed", Some("مريم"), "order_completed"),
        ("new", None, "order_reopened"),
        ("cancelled", None, "order_cancelled"),
    ] {
        let mut body = json!({"status": status});
        let mut expected = json!({"at": at, "way": "operator"});
        if let Some(by) = by {
            (body["by"], expected["by"]) = (json!(by), json!(by));
        }
        let answer = change(&host, &order, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let shown = answer.json();
        assert_eq!((&shown["status"], &shown["statusChange"]), (&json!(status), &expected));
        let last = shown["timeline"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last, json!({"at": at, "event": event, "statusChange": expected}));
    }
    let listed = host.manage("GET", "/orders", "").await.json();
    assert_eq!(listed["items"][0]["status"], "cancelled");
}

#[tokio::test]
async fn what_cannot_be_done_with_an_order_is_refused_with_what_it_is() {
    let host = Host::start();
    let order = host.place_seed().await;
    let conflict = |answer: &crate::host::Answer| {
        answer.assert_problem(StatusCode::CONFLICT, "status_conflict")["detail"].clone()
    };
    assert_eq!(conflict(&change(&host, &order, json!({"status": "new"})).await), "The order is new");
    change(&host, &order, json!({"status": "acknowledged", "by": "Maria"})).await;
    let again = change(&host, &order, json!({"status": "acknowledged", "by": "Jo"})).await;
    assert_eq!(conflict(&again), "The order is acknowledged since 2026-01-31T12:00:00Z by Maria");
    for (body, code, field) in [
        (json!({"status": "seen"}), "unknown_status", "status"),
        (json!({}), "missing_field", "status"),
        (json!({"status": "completed", "by": " "}), "invalid_name", "by"),
        (json!({"status": "completed", "by": "x".repeat(61)}), "invalid_name", "by"),
        (json!({"status": "completed", "who": "Jo"}), "unknown_member", "who"),
    ] {
        let problem = change(&host, &order, body).await.assert_problem(StatusCode::BAD_REQUEST, code);
        assert_eq!(problem["field"], field);
    }
    let unknown =
        change(&host, "01234567-89ab-7def-8123-456789abcdef", json!({"status": "acknowledged"})).await;
    unknown.assert_problem(StatusCode::NOT_FOUND, "order_not_found");
    let shown = host.manage("GET", &format!("/orders/{order}"), "").await.json();
    assert_eq!((&shown["status"], &shown["statusChange"]["by"]), (&json!("acknowledged"), &json!("Maria")));
}
