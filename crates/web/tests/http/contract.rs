//! Whether `/openapi.json` says what is answered. That it names every path, `router.rs` proves.

use std::collections::BTreeSet;

use axum::body::Body;
use domain::order::OrderDetails;
use http::{Request, StatusCode};
use serde_json::{Map, Value};

use crate::host::{ADMIN_KEY, Host};

/// The described paths, with an id that names nothing, and what is described of each.
async fn described(host: &Host) -> Vec<(String, Map<String, Value>)> {
    let contract = host.get("/openapi.json").await.json();
    let paths = contract["paths"].as_object().unwrap();
    let path = |(path, methods): (&String, &Value)| {
        let path = path.replace("{id}", "01234567-89ab-7def-8123-456789abcdef").replace("{name}", "email");
        (path, methods.as_object().unwrap().clone())
    };
    paths.iter().map(path).collect()
}

/// The operations of a path: each method with its description.
fn operations(methods: &Map<String, Value>) -> impl Iterator<Item = (String, &Value)> {
    methods.iter().filter(|(key, _)| *key != "parameters").map(|(key, value)| (key.to_uppercase(), value))
}

#[tokio::test]
async fn the_contract_describes_each_method_of_each_path_and_no_other() {
    let host = Host::start();
    for (path, methods) in described(&host).await {
        let refused = host.send(Request::trace(&path).body(Body::empty()).unwrap()).await;
        refused.assert_problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
        let served: BTreeSet<_> = refused.header("allow").unwrap().split(',').map(str::to_owned).collect();
        let mut described: BTreeSet<_> = operations(&methods).map(|(method, _)| method).collect();
        if described.contains("GET") {
            described.insert("HEAD".to_owned());
        }
        assert_eq!(served, described, "{path}");
    }
}

#[tokio::test]
async fn the_contract_says_where_a_body_can_be_too_large_too_slow_or_unreadable() {
    let host = Host::start();
    for (path, methods) in described(&host).await {
        for (method, operation) in operations(&methods) {
            let request =
                Request::builder().method(method.as_str()).uri(&path).header("x-api-key", ADMIN_KEY);
            let large = request.header("content-length", 64 * 1_024 + 1).body(Body::empty()).unwrap();
            let is_read = host.send(large).await.status == StatusCode::PAYLOAD_TOO_LARGE;
            assert_eq!(operation.get("requestBody").is_some(), is_read, "{method} {path}");
            for status in ["408", "413", "415"] {
                let says = operation["responses"].get(status).is_some();
                assert_eq!(says, is_read, "{status} of {method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn the_contract_names_the_currencies_that_an_order_may_have_and_no_other() {
    let contract = Host::start().get("/openapi.json").await.json();
    let described = contract["components"]["schemas"]["Currency"]["enum"].as_array().unwrap();
    let described: Vec<_> = described.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    let is_taken = |code: &String| {
        let order = format!(r#"{{"customerName":"Jo","productName":"Mouse","currency":"{code}"}}"#);
        OrderDetails::parse_strictly(order.as_bytes()).is_ok()
    };
    let letters = || 'A'..='Z';
    let codes =
        letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    assert_eq!(described, codes.filter(is_taken).collect::<Vec<_>>());
}
