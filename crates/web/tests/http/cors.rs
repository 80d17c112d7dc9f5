//! What pages of other origins may do.

use axum::body::Body;
use http::{Request, StatusCode};

use crate::host::{Answer, Host, SEED_BODY};

fn with_cors(origins: &'static [&'static str]) -> Host {
    Host::with(move |_, settings| {
        settings.cors_allow_origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
    })
}

async fn preflight(host: &Host, origin: &str) -> Answer {
    preflight_of(host, origin, "content-type,idempotency-key").await
}

/// Asks whether a page may send these headers along.
async fn preflight_of(host: &Host, origin: &str, headers: &str) -> Answer {
    let request = Request::options("/create-order")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", headers);
    host.send(request.body(Body::empty()).unwrap()).await
}

async fn place_from(host: &Host, origin: &str, body: &str) -> Answer {
    let request = Request::post("/create-order").header("origin", origin);
    host.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn cors_headers(answer: &Answer) -> Vec<&str> {
    answer
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("access-control"))
        .collect()
}

#[tokio::test]
async fn a_preflight_from_an_allowed_origin_is_answered_204_with_what_is_allowed() {
    let host = with_cors(&["https://shop.example", "https://other.example"]);
    let answer = preflight(&host, "https://shop.example").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST,OPTIONS"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type,idempotency-key"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!(answer.header("access-control-max-age"), Some("600"));
    assert!(answer.header("x-request-id").is_some());
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_send_whatever_headers_its_tools_add() {
    let (shop, all) = (with_cors(&["https://shop.example"]), with_cors(&["*"]));
    for headers in [
        "baggage,content-type,sentry-trace",
        "traceparent,tracestate",
        "x-requested-with",
        "x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-trace-id",
        "newrelic",
        "b3",
        "x-b3-traceid,x-b3-spanid,x-b3-sampled",
        "authorization,x-api-key,idempotency-key,content-type,x-request-id",
        "elastic-apm-traceparent,x-instana-t,x-amzn-trace-id,uber-trace-id,cache-control,pragma",
    ] {
        for host in [&shop, &all] {
            let answer = preflight_of(host, "https://shop.example", headers).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT);
            assert_eq!(answer.header("access-control-allow-headers"), Some(headers));
        }
        let answer = preflight_of(&shop, "https://evil.example", headers).await;
        assert_eq!((answer.status, cors_headers(&answer)), (StatusCode::NO_CONTENT, Vec::new()));
    }
}

#[tokio::test]
async fn an_origin_that_is_not_allowed_gets_no_cors_header_at_all() {
    let host = with_cors(&["https://shop.example"]);
    let answer = preflight(&host, "https://evil.example").await;
    assert_eq!((answer.status, cors_headers(&answer)), (StatusCode::NO_CONTENT, Vec::new()));
    let answer = place_from(&host, "https://evil.example", SEED_BODY).await;
    assert_eq!((answer.status, cors_headers(&answer)), (StatusCode::OK, Vec::new()));
}

#[tokio::test]
async fn an_allowed_page_may_read_failures_too() {
    let host = with_cors(&["https://shop.example"]);
    let answer = place_from(&host, "https://shop.example", "{}").await;
    answer.assert_problem(StatusCode::BAD_REQUEST, "missing_field");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(answer.header("vary"), Some("origin, access-control-request-headers"));
    let readable = "x-request-id,short-reference,idempotency-replayed,preference-applied,retry-after";
    assert_eq!(answer.header("access-control-expose-headers"), Some(readable));
    let wrong_method = Request::put("/create-order").header("origin", "https://shop.example");
    let answer = host.send(wrong_method.body(Body::empty()).unwrap()).await;
    answer.assert_problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"));
}

#[tokio::test]
async fn a_program_which_comes_from_no_origin_meets_no_cors() {
    let host = with_cors(&["*"]);
    let answer = host.place(SEED_BODY).await;
    assert_eq!((answer.status, cors_headers(&answer)), (StatusCode::OK, Vec::new()));
    let answer = host.send(Request::options("/create-order").body(Body::empty()).unwrap()).await;
    answer.assert_problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    assert_eq!(cors_headers(&answer), Vec::<&str>::new());
}

#[tokio::test]
async fn a_star_allows_every_origin() {
    let host = with_cors(&["*"]);
    assert_eq!(
        preflight(&host, "https://any.example").await.header("access-control-allow-origin"),
        Some("*")
    );
    let answer = place_from(&host, "https://any.example", SEED_BODY).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn a_host_without_cors_does_not_answer_options() {
    let host = Host::start();
    let answer = preflight(&host, "https://shop.example").await;
    answer.assert_problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("POST"));
    assert_eq!(cors_headers(&answer), Vec::<&str>::new());
}
