//! What holds for every route, and `/healthz`, `/readyz`, `/metrics`, `/openapi.json`.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};

use crate::host::{ADMIN_KEY, Host};

const MANAGEMENT: [(&str, &str); 17] = [
    ("GET", "/orders"),
    ("GET", "/orders/x"),
    ("GET", "/subscriptions"),
    ("POST", "/subscriptions"),
    ("GET", "/subscriptions/x"),
    ("PATCH", "/subscriptions/x"),
    ("DELETE", "/subscriptions/x"),
    ("POST", "/subscriptions/x/confirmation"),
    ("GET", "/deliveries"),
    ("GET", "/deliveries/x"),
    ("POST", "/deliveries/x/redrive"),
    ("POST", "/deliveries/redrive"),
    ("POST", "/deliveries/x/retry"),
    ("POST", "/deliveries/retry"),
    ("POST", "/deliveries/x/drop"),
    ("POST", "/deliveries/drop"),
    ("GET", "/inbox"),
];

fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path)
}

#[tokio::test]
async fn a_management_route_needs_the_admin_key_before_it_looks_at_anything() {
    let host = Host::start();
    for (method, path) in MANAGEMENT {
        let none = host.send(request(method, path).body(Body::empty()).unwrap()).await;
        none.assert_problem(StatusCode::UNAUTHORIZED, "key_required");
        assert!(none.header("www-authenticate").is_some());
        let wrong = request(method, path).header("x-api-key", &ADMIN_KEY[1..]).body(Body::empty()).unwrap();
        host.send(wrong).await.assert_problem(StatusCode::UNAUTHORIZED, "wrong_key");
    }
    let bearer = request("GET", "/orders").header("authorization", format!("Bearer {ADMIN_KEY}"));
    assert_eq!(host.send(bearer.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_an_admin_key_nothing_can_be_managed() {
    let host = Host::with(|_, settings| settings.admin_key = None);
    for (method, path) in MANAGEMENT {
        host.manage(method, path, "").await.assert_problem(StatusCode::FORBIDDEN, "management_disabled");
    }
}

#[tokio::test]
async fn a_path_that_no_route_has_is_a_problem_with_a_request_id() {
    let host = Host::start();
    for path in ["/nothing", "/orders/x/y", "/create-order/", "/assets/secret.txt", "/assets/%ff"] {
        let answer = host.get(path).await;
        answer.assert_problem(StatusCode::NOT_FOUND, "no_such_route");
        assert!(answer.header("x-request-id").is_some());
    }
}

#[tokio::test]
async fn a_method_that_a_route_has_not_is_answered_405_with_those_it_has() {
    let host = Host::start();
    for (method, path, allowed) in [
        ("GET", "/create-order", "POST"),
        ("DELETE", "/orders", "GET,HEAD"),
        ("PUT", "/subscriptions/x", "GET,HEAD,PATCH,DELETE"),
        ("GET", "/deliveries/redrive", "POST"),
    ] {
        let answer = host.send(request(method, path).body(Body::empty()).unwrap()).await;
        answer.assert_problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let host = Host::start();
    for path in ["/", "/healthz", "/openapi.json"] {
        let answer = host.send(Request::head(path).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""), "{path}");
    }
}

#[tokio::test]
async fn a_host_on_a_sound_store_is_alive_and_ready() {
    let host = Host::start();
    assert_eq!(host.get("/healthz").await.status, StatusCode::OK);
    let ready = host.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK);
    assert!(!ready.json()["vouchesFor"].as_str().unwrap().is_empty(), "{}", ready.text);
}

#[tokio::test]
async fn metrics_are_what_the_host_renders() {
    let host = Host::with(|_, settings| settings.metrics = Some(Arc::new(|| "orders 3\n".to_owned())));
    let answer = host.manage("GET", "/metrics", "").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "orders 3\n"));
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let without = Host::start().manage("GET", "/metrics", "").await;
    without.assert_problem(StatusCode::NOT_IMPLEMENTED, "not_on_this_host");
}
