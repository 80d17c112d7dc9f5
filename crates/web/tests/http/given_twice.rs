//! What is given twice, where only one can count: refused by its name, and nothing is changed.

use http::StatusCode;
use orderbell_web::Settings;
use serde_json::json;

use crate::host::{ADMIN_KEY, Host};

const SOMEBODY: &str = "01234567-89ab-7def-8123-456789abcdef";

#[tokio::test]
async fn a_query_parameter_is_given_once() {
    let host = Host::with(|_, settings: &mut Settings| {
        settings.receipts = Some(std::sync::Arc::new(|_| Ok(None)));
    });
    let not_matched = format!("/orders/{SOMEBODY}/not-matched");
    let receipts = format!("/receipts/{SOMEBODY}");
    for (method, path, query, name) in [
        ("GET", "/orders", "limit=1&limit=2", "limit"),
        ("GET", "/orders", "limit=2&limit=2", "limit"),
        ("GET", "/orders", "%6Cimit=1&from=2026-01-31T12:00:00Z&limit=1", "limit"),
        ("GET", "/orders", "from=2026-01-31T12:00:00Z&from=2026-01-31T12:00:00Z", "from"),
        ("GET", "/orders", "before=2026-01-31T12:00:00Z&before=soon", "before"),
        ("GET", "/orders", "include=counts&include=", "include"),
        ("GET", "/orders", "cursor=&cursor=", "cursor"),
        ("GET", &not_matched, "limit=1&limit=1", "limit"),
        ("GET", "/subscriptions", "state=ended&state=pending", "state"),
        ("GET", "/subscriptions", "protocol=email&protocol=sms", "protocol"),
        ("GET", "/deliveries", "state=dead&state=held", "state"),
        ("GET", "/deliveries", &format!("order={SOMEBODY}&order={SOMEBODY}"), "order"),
        ("GET", "/deliveries", &format!("subscription={SOMEBODY}&subscription=x"), "subscription"),
        ("GET", "/inbox", "limit=1&limit=200", "limit"),
        ("POST", &receipts, "attempt=1&attempt=2", "attempt"),
    ] {
        let answer = host.manage(method, &format!("{path}?{query}"), "").await;
        let problem = answer.assert_problem(StatusCode::BAD_REQUEST, "repeated_parameter");
        assert_eq!(problem["field"], name, "{path}?{query}");
    }
}

#[tokio::test]
async fn a_member_is_given_once() {
    let host = Host::start();
    let order = host.place_seed().await;
    let jo = host.subscribe("jo@example.com").await;
    let path = format!("/subscriptions/{jo}");
    for (method, path, body, name) in [
        ("POST", "/orders/spam", r#"{"customerName":"Nobody","customerName":"John Doe"}"#, "customerName"),
        (
            "POST",
            "/orders/spam",
            r#"{"before":"2030-01-01T00:00:00Z","before":"2020-01-01T00:00:00Z"}"#,
            "before",
        ),
        (
            "POST",
            "/orders/spam",
            r#"{"customerName":"John Doe","customer\u004eame":"John Doe"}"#,
            "customerName",
        ),
        (
            "POST",
            "/subscriptions",
            r#"{"protocol":"email","protocol":"sms","endpoint":"al@example.com"}"#,
            "protocol",
        ),
        (
            "POST",
            "/subscriptions",
            r#"{"protocol":"email","endpoint":"al@example.com","endpoint":"bo@example.com"}"#,
            "endpoint",
        ),
        ("PATCH", &path, r#"{"maxReceivesPerSecond":1,"maxReceivesPerSecond":2}"#, "maxReceivesPerSecond"),
        ("PATCH", &path, r#"{"filterPolicy":null,"filterPolicy":{"currency":["EUR"]}}"#, "filterPolicy"),
        (
            "PATCH",
            &path,
            r#"{"escalation":{"afterMinutes":1,"afterMinutes":2,"subscriptionId":"x"}}"#,
            "escalation.afterMinutes",
        ),
        ("POST", "/deliveries/redrive", r#"{"state":"dead","state":"held"}"#, "state"),
        ("POST", "/deliveries/drop", r#"{"state":"held","state":"pending"}"#, "state"),
        (
            "POST",
            "/deliveries/retry",
            r#"{"state":"pending","protocol":"sms","protocol":"email"}"#,
            "protocol",
        ),
        (
            "POST",
            "/subscriptions/test-filter",
            r#"{"filterPolicy":{"a":["1"]},"order":{},"order":{}}"#,
            "order",
        ),
    ] {
        let answer = host.manage(method, path, body).await;
        let problem = answer.assert_problem(StatusCode::BAD_REQUEST, "repeated_member");
        assert_eq!(problem["field"], name, "{body}");
    }
    let shown = host.manage("GET", &format!("/orders/{order}"), "").await.json();
    assert_eq!(shown.get("spamSince"), None, "{shown}");
    assert_eq!(host.manage("GET", "/subscriptions", "").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_of_a_filter_policy_is_given_once_wherever_it_stands() {
    let host = Host::start();
    for (scope, policy, field) in [
        ("MessageAttributes", r#"{"currency":["EUR"],"currency":["USD"]}"#, "filterPolicy.currency"),
        ("MessageAttributes", r#"{"a":[{"prefix":"x","prefix":"y"}]}"#, "filterPolicy.a.prefix"),
        (
            "MessageAttributes",
            r#"{"a":[{"anything-but":{"prefix":"x","prefix":"y"}}]}"#,
            "filterPolicy.a.anything-but.prefix",
        ),
        ("MessageAttributes", r#"{"$or":[{"a":["1"],"a":["2"]},{"b":["1"]}]}"#, "filterPolicy.$or[0].a"),
        ("MessageBody", r#"{"data":{"currency":["EUR"],"currency":["USD"]}}"#, "filterPolicy.data.currency"),
    ] {
        let body = format!(
            r#"{{"protocol":"email","endpoint":"jo@example.com","filterPolicyScope":"{scope}","filterPolicy":{policy}}}"#
        );
        let answer = host.manage("POST", "/subscriptions", &body).await;
        let problem = answer.assert_problem(StatusCode::BAD_REQUEST, "invalid_filter_policy");
        assert_eq!(problem["field"], field);
        assert!(problem["detail"].as_str().unwrap().ends_with("must be given once"), "{problem}");
    }
}

#[tokio::test]
async fn a_field_of_a_form_is_given_once() {
    let host = Host::start();
    for form in [format!("key=wrong&key={ADMIN_KEY}"), format!("key={ADMIN_KEY}&key={ADMIN_KEY}")] {
        let answer = host.post("/console/login", "text/html", &form).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::BAD_REQUEST, None), "{form}");
    }
}

/// The recipe's function took the last, as `JSON.parse` does, and no order is lost for it.
#[tokio::test]
async fn of_an_orders_members_the_last_counts() {
    let host = Host::start();
    let placed = host.place(r#"{"customerName":"Ada","productName":"Pad","productName":"Mouse"}"#).await;
    assert_eq!(placed.status, StatusCode::OK, "{}", placed.text);
    let id = placed.json()["orderId"].as_str().unwrap().to_owned();
    let order = host.manage("GET", &format!("/orders/{id}"), "").await.json();
    assert_eq!(order["productName"], json!("Mouse"));
}
