//! Who is let in, who has to wait, and who needs no key.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use orderbell_web::{Client, ClientKey, KeyHash, OrderAuth};

use crate::host::{ADMIN_KEY, Answer, Host, SEED_BODY};

const SHOP_KEY: &str = "the-key-of-the-shop-here";

/// Asks from an address, with a key.
async fn ask(host: &Host, address: &str, key: &str) -> Answer {
    let request = Request::get("/orders").header("x-api-key", key);
    let request = request.extension(Client::At(address.parse().unwrap()));
    host.send(request.body(Body::empty()).unwrap()).await
}

/// A host to which somebody at this address presented so many wrong keys.
async fn after(count: usize, address: &str) -> Host {
    let host = Host::start();
    for number in 0..count {
        ask(&host, address, &format!("wrong {number}"))
            .await
            .assert_problem(StatusCode::UNAUTHORIZED, "wrong_key");
    }
    host
}

#[tokio::test]
async fn who_presents_many_wrong_keys_has_to_wait_and_nobody_else_has() {
    let host = after(5, "203.0.113.7").await;
    for key in ["wrong", ADMIN_KEY] {
        let refused = ask(&host, "203.0.113.7", key).await;
        refused.assert_problem(StatusCode::TOO_MANY_REQUESTS, "too_many_wrong_keys");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    assert_eq!(ask(&host, "203.0.113.8", ADMIN_KEY).await.status, StatusCode::OK);
    host.clock.advance(Duration::from_secs(1));
    assert_eq!(ask(&host, "203.0.113.7", ADMIN_KEY).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_household_is_one_address() {
    let host = after(5, "2001:db8::1").await;
    assert_eq!(ask(&host, "2001:db8::2", ADMIN_KEY).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask(&host, "2001:db8:0:1::2", ADMIN_KEY).await.status, StatusCode::OK);
}

#[tokio::test]
async fn behind_loopback_the_right_key_is_never_kept_waiting_by_wrong_ones() {
    let host = after(5, "127.0.0.1").await;
    for _ in 0..100 {
        let refused = ask(&host, "127.0.0.1", "wrong").await;
        refused.assert_problem(StatusCode::TOO_MANY_REQUESTS, "too_many_wrong_keys");
        assert_eq!(ask(&host, "127.0.0.1", ADMIN_KEY).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn wrong_logins_and_wrong_intake_keys_count_alike() {
    let host = after(4, "203.0.113.7").await;
    let from =
        |request: http::request::Builder| request.extension(Client::At("203.0.113.7".parse().unwrap()));
    let login = from(Request::post("/console/login")).body(Body::from("key=wrong")).unwrap();
    assert_eq!(host.send(login).await.status, StatusCode::FORBIDDEN);
    let order = from(Request::post("/create-order"))
        .header("x-api-key", "wrong")
        .body(Body::from(SEED_BODY))
        .unwrap();
    host.send(order).await.assert_problem(StatusCode::TOO_MANY_REQUESTS, "too_many_wrong_keys");
    let login = from(Request::post("/console/login")).body(Body::from(format!("key={ADMIN_KEY}"))).unwrap();
    let refused = host.send(login).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, Some("1")));
    assert!(refused.text.contains("Too many wrong keys"), "{}", refused.text);
    let open = from(Request::post("/create-order")).body(Body::from(SEED_BODY)).unwrap();
    assert_eq!(host.send(open).await.status, StatusCode::OK, "without a key nothing is guessed");
}

#[tokio::test]
async fn the_metrics_need_their_key_or_the_admin_key() {
    let host = Host::with(|_, settings| {
        settings.metrics = Some(Arc::new(|| "orders 3\n".to_owned()));
        settings.metrics_key = Some(KeyHash::of("the-key-of-the-metrics"));
        let shop = ClientKey { name: "shop".to_owned(), hash: KeyHash::of(SHOP_KEY) };
        settings.order_auth = OrderAuth::Keys(vec![shop]);
    });
    host.get("/metrics").await.assert_problem(StatusCode::UNAUTHORIZED, "key_required");
    for (key, status) in [("the-key-of-the-metrics", 200), (ADMIN_KEY, 200), ("another", 401), ("", 401)] {
        let request = Request::get("/metrics").header("authorization", format!("Bearer {key}"));
        let answer = host.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{key}");
    }
    for (method, header, value, status) in [
        ("GET", "x-api-key", "the-key-of-the-metrics", 200),
        ("HEAD", "x-api-key", "the-key-of-the-metrics", 200),
        ("HEAD", "x-nothing", "", 401),
        ("GET", "x-api-key", "The-Key-Of-The-Metrics", 401),
        ("GET", "x-api-key", SHOP_KEY, 401),
        ("GET", "authorization", "Basic dGhlLWtleS1vZi10aGUtbWV0cmljczo=", 401),
        ("GET", "cookie", "orderbell_session=the-key-of-the-metrics", 401),
        ("GET", "x-forwarded-for", "127.0.0.1", 401),
    ] {
        let request = Request::builder().method(method).uri("/metrics").header(header, value);
        let answer = host.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {header}: {value}");
        assert_eq!(
            answer.text.contains("orders 3"),
            status == 200 && method == "GET",
            "{method} {header}: {value}"
        );
    }
    let elsewhere = Request::get("/orders").header("x-api-key", "the-key-of-the-metrics");
    let refused = host.send(elsewhere.body(Body::empty()).unwrap()).await;
    refused.assert_problem(StatusCode::UNAUTHORIZED, "wrong_key");
}

#[tokio::test]
async fn the_operators_own_door_needs_no_key_and_opens_to_no_other_proof() {
    let host = Host::start();
    let ask = |request: http::request::Builder| {
        host.send(request.extension(Client::Operator).body(Body::empty()).unwrap())
    };
    assert_eq!(ask(Request::get("/orders")).await.status, StatusCode::OK);
    let named = [("x-api-key", "wrong", "wrong_key"), ("authorization", "Event", "key_required")];
    for (header, value, code) in named {
        let answer = ask(Request::get("/orders").header(header, value)).await;
        answer.assert_problem(StatusCode::UNAUTHORIZED, code);
    }
}
