//! Lambda events, as requests and as answers.

use axum::body::Body;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{Request, Response, StatusCode};
use orderbell_web::gateway_event::{PayloadFormat, request, response};
use serde_json::{Value, json};

use crate::host::{Host, SEED_BODY};

/// One of the events in `tests/events`.
fn event(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

async fn text(request: Request<Body>) -> String {
    let bytes = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn invoke(host: &Host, event: &[u8]) -> Value {
    let (request, shape) = request(event, &[]).unwrap();
    let answer = host.send(request).await;
    let mut plain = Response::new(Body::from(answer.text));
    *plain.status_mut() = answer.status;
    *plain.headers_mut() = answer.headers;
    response(plain, shape).await
}

#[tokio::test]
async fn every_event_that_carries_the_seeds_order_places_it() {
    let host = Host::start();
    for (name, shape) in [
        ("bare", PayloadFormat::Bare),
        ("bare-object", PayloadFormat::Bare),
        ("http-api-2.0", PayloadFormat::HttpApi),
        ("http-api-2.0-base64", PayloadFormat::HttpApi),
        ("function-url", PayloadFormat::HttpApi),
        ("rest-proxy", PayloadFormat::Proxy),
        ("rest-proxy-base64", PayloadFormat::Proxy),
        ("by-hand", PayloadFormat::Proxy),
        ("load-balancer", PayloadFormat::LoadBalancer { multi_value: false }),
        ("load-balancer-multi-value", PayloadFormat::LoadBalancer { multi_value: true }),
    ] {
        let (asked, found) = request(&event(name), &[]).unwrap();
        assert_eq!(
            (found, asked.method().as_str(), asked.uri().path()),
            (shape, "POST", "/create-order"),
            "{name}"
        );
        let answer = invoke(&host, &event(name)).await;
        assert_eq!(answer["statusCode"], 200, "{name}: {answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["message"], "Order placed successfully", "{name}");
        let order =
            host.manage("GET", &format!("/orders/{}", body["orderId"].as_str().unwrap()), "").await.json();
        assert_eq!(
            (order["customerName"].as_str(), order["productName"].as_str()),
            (Some("John Doe"), Some("Wireless Mouse"))
        );
    }
}

#[tokio::test]
async fn the_seeds_test_event_is_the_seeds_body_character_for_character() {
    let (request, _) = request(&event("bare"), &[]).unwrap();
    assert_eq!(text(request).await, SEED_BODY);
}

#[tokio::test]
async fn the_numbers_of_a_bare_body_stay_as_they_were_written() {
    let (request, _) = request(br#"{"body": {"total": 0.10000000000000000001}}"#, &[]).unwrap();
    assert_eq!(text(request).await, r#"{"total": 0.10000000000000000001}"#);
}

#[tokio::test]
async fn any_other_json_is_an_order_that_lacks_its_names() {
    let host = Host::start();
    for bare in
        ["{}", "[]", "null", "7", "\"text\"", r#"{"body":7}"#, r#"{"body":null}"#, r#"{"customerName":"Jo"}"#]
    {
        let answer = invoke(&host, bare.as_bytes()).await;
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        let expected = (&json!(400), &json!("Missing customerName or productName"));
        assert_eq!((&answer["statusCode"], &body["error"]), expected, "{bare}");
    }
}

#[test]
fn what_is_no_request_is_refused_and_says_why() {
    for (event, says) in [
        (b"{".to_vec(), "no JSON (line 1, column 1)"),
        (event("web-socket"), "web socket"),
        (br#"{"requestContext":[],"httpMethod":"POST"}"#.to_vec(), "must be an object"),
        (br#"{"requestContext":"x"}"#.to_vec(), "must be an object"),
        (br#"{"httpMethod":"POST","path":"/","body":"%","isBase64Encoded":true}"#.to_vec(), "base64"),
    ] {
        let refused = request(&event, &[]).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
}

#[test]
fn a_2_0_event_brings_its_query_its_cookies_and_no_stage() {
    let (request, _) = request(&event("http-api-2.0-stage"), &[]).unwrap();
    assert_eq!(request.method(), "GET");
    assert_eq!(request.uri(), "/orders?limit=2&from=2026-01-31T12%3A00%3A00Z&tag=a&tag=b");
    assert_eq!(request.headers()["cookie"], "one=1; two=2");
    assert_eq!(request.headers()["x-api-key"], "the-admin-key-of-this-test");
}

#[test]
fn a_1_0_event_brings_every_value_of_a_header_and_of_the_query() {
    let (request, _) = request(&event("http-api-1.0-stage"), &[]).unwrap();
    assert_eq!(request.uri().path(), "/orders");
    let mut query: Vec<_> = request.uri().query().unwrap().split('&').collect();
    query.sort_unstable();
    assert_eq!(query, ["from=2026-01-31T12%3A00%3A00Z", "tag=a%26", "tag=b+c"]);
    let twice: Vec<_> = request.headers().get_all("x-twice").iter().collect();
    assert_eq!(twice, ["1", "2"]);
}

#[test]
fn a_load_balancers_query_is_handed_on_as_it_came() {
    let (single, _) = request(&event("load-balancer"), &[]).unwrap();
    assert_eq!(single.uri(), "/create-order?note=a%20b");
    let (several, _) = request(&event("load-balancer-multi-value"), &[]).unwrap();
    assert_eq!(several.uri(), "/create-order?note=a%20b&note=c");
}

fn rest(stage: &str, path: &str, full_path: &str) -> Vec<u8> {
    let context = json!({ "stage": stage, "path": full_path, "httpMethod": "GET" });
    json!({ "httpMethod": "GET", "path": path, "requestContext": context }).to_string().into_bytes()
}

#[test]
fn only_a_stage_that_stands_in_the_path_is_stripped() {
    for (stage, path, full_path, expected) in [
        ("prod", "/prod/orders", "/prod/orders", "/orders"),
        ("prod", "/prod", "/prod", "/"),
        ("prod", "/production/orders", "/production/orders", "/production/orders"),
        ("orders", "/orders", "/orders/orders", "/orders"),
        ("$default", "/orders", "/orders", "/orders"),
        ("prod", "/a b/ü", "/a b/ü", "/a%20b/%C3%BC"),
    ] {
        let (request, _) = request(&rest(stage, path, full_path), &[]).unwrap();
        assert_eq!(request.uri().path(), expected, "{stage} {path}");
    }
}

fn answer(kind: &'static str, body: &'static [u8]) -> Response<Body> {
    let answer = Response::builder().status(StatusCode::CREATED).header(CONTENT_TYPE, kind);
    let answer = answer
        .header(SET_COOKIE, "a=1")
        .header(SET_COOKIE, "b=2")
        .header("x-twice", "1")
        .header("x-twice", "2");
    answer.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn an_answer_has_the_shape_of_the_event_that_asked() {
    let text = || answer("text/html; charset=utf-8", b"<p>");
    let headers = json!({ "content-type": "text/html; charset=utf-8", "x-twice": "1, 2" });
    let several = json!({
        "content-type": ["text/html; charset=utf-8"], "x-twice": ["1", "2"], "set-cookie": ["a=1", "b=2"],
    });
    let http_api = json!({
        "statusCode": 201, "headers": headers, "cookies": ["a=1", "b=2"], "body": "<p>", "isBase64Encoded": false,
    });
    assert_eq!(response(text(), PayloadFormat::HttpApi).await, http_api);
    let proxy = json!({
        "statusCode": 201, "headers": headers, "multiValueHeaders": several, "body": "<p>", "isBase64Encoded": false,
    });
    assert_eq!(response(text(), PayloadFormat::Proxy).await, proxy);
    let balanced = json!({
        "statusCode": 201, "statusDescription": "201 Created", "multiValueHeaders": several, "body": "<p>",
        "isBase64Encoded": false,
    });
    assert_eq!(response(text(), PayloadFormat::LoadBalancer { multi_value: true }).await, balanced);
    let single = response(text(), PayloadFormat::LoadBalancer { multi_value: false }).await;
    assert_eq!((&single["headers"]["x-twice"], single.get("multiValueHeaders")), (&json!("1, 2"), None));
}

#[tokio::test]
async fn what_is_no_text_is_answered_in_base64() {
    for (kind, body) in [("image/png", &b"png"[..]), ("application/json", &[0xff][..])] {
        let answer = response(answer(kind, body), PayloadFormat::HttpApi).await;
        assert_eq!(answer["isBase64Encoded"], true, "{kind}");
    }
    let problem = response(answer("application/problem+json", b"{}"), PayloadFormat::Proxy).await;
    assert_eq!((&problem["isBase64Encoded"], &problem["body"]), (&json!(false), &json!("{}")));
}

#[tokio::test]
async fn a_bare_event_is_answered_as_the_seed_answered() {
    let host = Host::start();
    let answer = invoke(&host, &event("bare")).await;
    assert_eq!(answer["statusCode"], 200);
    assert!(
        answer["body"].as_str().unwrap().starts_with(r#"{"message":"Order placed successfully","orderId":""#)
    );
}
