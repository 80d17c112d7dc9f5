//! How many orders may come.

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use orderbell_web::{Client, ClientKey, KeyHash, OrderAuth, OrderLimits, OrderRate};

use crate::host::{ADMIN_KEY, Answer, Host, SEED_BODY};

const SHOP_KEY: &str = "the-key-of-the-shop-here";

fn limited() -> Host {
    Host::with(|_, settings| {
        let rate = |per_minute, burst| Some(OrderRate { per_minute, burst });
        let (per_address, per_key, without_key) = (rate(60, 5), rate(60, 10), rate(60, 20));
        settings.order_limits = OrderLimits { per_address, per_key, without_key, ..OrderLimits::default() };
    })
}

async fn place(host: &Host, address: &str, (header, value): (&str, &str), body: &str) -> Answer {
    let client = Client::At(address.parse().unwrap());
    let request = Request::post("/create-order").extension(client).header(header, value);
    host.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn stored(host: &Host) -> usize {
    host.manage("GET", "/orders?limit=200", "").await.json()["items"].as_array().unwrap().len()
}

const NOTHING: (&str, &str) = ("x-nothing", "");

#[tokio::test]
async fn who_floods_is_refused_with_the_limit_and_the_time_and_nothing_is_stored() {
    let host = limited();
    let mut refused = 0;
    for _ in 0..50 {
        let answer = place(&host, "203.0.113.7", NOTHING, SEED_BODY).await;
        if answer.status == StatusCode::OK {
            continue;
        }
        refused += 1;
        assert_eq!(answer.header("retry-after"), Some("1"));
        let problem = answer.assert_problem(StatusCode::TOO_MANY_REQUESTS, "too_many_orders");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("from your address: 60 a minute are taken, and 5 at once"), "{detail}");
    }
    assert_eq!((refused, stored(&host).await), (45, 5));
    assert_eq!(place(&host, "203.0.113.8", NOTHING, SEED_BODY).await.status, StatusCode::OK);
    host.clock.advance(Duration::from_secs(1));
    assert_eq!(place(&host, "203.0.113.7", NOTHING, SEED_BODY).await.status, StatusCode::OK);
    assert_eq!(stored(&host).await, 7);
}

#[tokio::test]
async fn a_household_counts_as_one_and_all_without_a_key_together() {
    let host = limited();
    for number in 0..5 {
        let answer = place(&host, &format!("2001:db8:1:2::{number}"), NOTHING, SEED_BODY).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let answer = place(&host, "2001:db8:1:2:9::9", NOTHING, SEED_BODY).await;
    answer.assert_problem(StatusCode::TOO_MANY_REQUESTS, "too_many_orders");
    for number in 0..15 {
        let answer = place(&host, &format!("2001:db8:2:{number}::1"), NOTHING, SEED_BODY).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let answer = place(&host, "192.0.2.1", NOTHING, SEED_BODY).await;
    let problem = answer.assert_problem(StatusCode::TOO_MANY_REQUESTS, "too_many_orders");
    assert!(problem["detail"].as_str().unwrap().contains("without a key: 60 a minute"), "{problem}");
}

#[tokio::test]
async fn a_retry_of_what_is_stored_costs_nothing() {
    let host = limited();
    let key = ("idempotency-key", "0123456789abcdef");
    for _ in 0..50 {
        assert_eq!(place(&host, "203.0.113.7", key, SEED_BODY).await.status, StatusCode::OK);
    }
    assert_eq!(stored(&host).await, 1);
    for _ in 0..4 {
        assert_eq!(place(&host, "203.0.113.7", NOTHING, SEED_BODY).await.status, StatusCode::OK);
    }
    let full = place(&host, "203.0.113.7", NOTHING, SEED_BODY).await;
    assert_eq!(full.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn what_is_no_order_counts_all_the_same_and_costs_no_reading() {
    let host = limited();
    for _ in 0..5 {
        let answer = place(&host, "203.0.113.7", NOTHING, "{").await;
        answer.assert_problem(StatusCode::BAD_REQUEST, "malformed_json");
    }
    let answer = place(&host, "203.0.113.7", NOTHING, &" ".repeat(100_000)).await;
    answer.assert_problem(StatusCode::TOO_MANY_REQUESTS, "too_many_orders");
}

#[tokio::test]
async fn each_key_has_a_limit_of_its_own_and_the_operator_none() {
    let host = Host::with(|_, settings| {
        let keys = [("shop", SHOP_KEY), ("till", "the-key-of-the-till-here")];
        let key = |(name, key): (&str, &str)| ClientKey { name: name.to_owned(), hash: KeyHash::of(key) };
        settings.order_auth = OrderAuth::Keys(keys.map(key).to_vec());
        let per_key = Some(OrderRate { per_minute: 60, burst: 3 });
        let tight = Some(OrderRate { per_minute: 1, burst: 1 });
        settings.order_limits =
            OrderLimits { per_key, per_address: tight, without_key: tight, ..OrderLimits::default() };
    });
    for key in [SHOP_KEY, "the-key-of-the-till-here"] {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(place(&host, "203.0.113.7", ("x-api-key", key), SEED_BODY).await.status.as_u16());
        }
        assert_eq!(statuses, [200, 200, 200, 429, 429], "{key}");
    }
    for _ in 0..50 {
        let answer = place(&host, "203.0.113.7", ("x-api-key", ADMIN_KEY), SEED_BODY).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let nobody = place(&host, "203.0.113.7", ("x-api-key", "a-wrong-key-of-nobody"), SEED_BODY).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
}
