//! `http`: an event of API Gateway, a function URL, a load balancer or of a person, answered by the one-machine host's
//! very router.

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Request};
use serde_json::Value;
use tower::ServiceExt;
use web::OrderPathAlias;
use web::gateway_event::{self, PayloadFormat};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers an event in the shape that its sender expects; one that is no request gets a 400 in a shape that all of them
/// accept. A request without an id of its client's gets Lambda's: it stands in the gateway's access log
/// (`$context.integration.requestId`), in every line of ours, and in the order.
pub(crate) async fn answer(
    router: Router,
    order_path_aliases: &[OrderPathAlias],
    event: &str,
    request_id: &str,
) -> Value {
    let (response, shape) = match gateway_event::request(event.as_bytes(), order_path_aliases) {
        Ok((mut request, shape)) => {
            let client = gateway_event::client(event.as_bytes(), request.headers());
            if let Some(client) = client {
                request.extensions_mut().insert(client);
            }
            (route(router, named(request, request_id)).await, shape)
        }
        Err(bad_event) => (bad_event.into_response(), PayloadFormat::Bare),
    };
    if response.status().is_server_error() {
        metrics::counter!("orderbell_errors_total").increment(1);
    }
    gateway_event::response(response, shape).await
}

async fn route(router: Router, request: Request<Body>) -> Response {
    router.oneshot(request).await.unwrap_or_else(|never| match never {})
}

fn named(mut request: Request<Body>, request_id: &str) -> Request<Body> {
    if let Ok(id) = HeaderValue::try_from(request_id) {
        request.headers_mut().entry(REQUEST_ID).or_insert(id);
    }
    request
}

#[cfg(test)]
mod tests {
    use axum::extract::Request as Asked;
    use axum::routing::any;
    use http::StatusCode;
    use serde_json::json;

    use super::*;

    /// A router that answers with the request's id, or with the status that the path is.
    fn router() -> Router {
        Router::new().fallback(any(|asked: Asked| async move {
            let status = asked.uri().path().trim_start_matches('/').parse().unwrap_or(StatusCode::OK);
            (status, asked.headers().get(REQUEST_ID).cloned().map(|id| [(REQUEST_ID, id)]), ())
        }))
    }

    async fn ask(path: &str, headers: Value) -> Value {
        let event = json!({
            "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": headers,
            "requestContext": { "http": { "method": "GET", "path": path }, "stage": "$default", "requestId": "gw=" },
        });
        answer(router(), &[], &event.to_string(), "8f5e-lambda").await
    }

    #[tokio::test]
    async fn a_request_without_an_id_gets_lambdas_and_one_with_an_id_keeps_it() {
        assert_eq!(ask("/", json!({})).await["headers"]["x-request-id"], "8f5e-lambda");
        let own = ask("/", json!({ "x-request-id": "mine" })).await;
        assert_eq!(own["headers"]["x-request-id"], "mine");
    }

    #[tokio::test]
    async fn an_event_that_is_no_request_is_answered_400_and_never_fails_the_invocation() {
        for event in [
            r#"{"requestContext":{"http":{"method":"G E T","path":"/"}},"rawPath":"/"}"#,
            r#"{"requestContext":{"connectionId":"a","eventType":"CONNECT"}}"#,
            r#"{"httpMethod":"POST","path":"/","requestContext":{},"body":"%","isBase64Encoded":true}"#,
            r#"{"requestContext":7}"#,
        ] {
            let answer = answer(router(), &[], event, "8f5e").await;
            assert_eq!(answer["statusCode"], 400, "{event}");
            let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!(problem["code"], "bad_event", "{event}");
        }
    }

    #[tokio::test]
    async fn any_json_value_is_answered() {
        for event in ["null", "7", "[]", "\"text\"", "{}", r#"{"body":null}"#, r#"{"body":7}"#] {
            assert_eq!(answer(router(), &[], event, "8f5e").await["statusCode"], 200, "{event}");
        }
    }

    #[tokio::test]
    async fn only_an_answer_that_is_our_fault_counts_as_an_error() {
        let clock = std::sync::Arc::new(host::SetClock::at_second(0));
        let emf_metrics = crate::emf_metrics::EmfMetrics::new("shop-http".to_owned(), clock);
        let _guard = metrics::set_default_local_recorder(&emf_metrics);
        for path in ["/200", "/404", "/429", "/500", "/503"] {
            ask(path, json!({})).await;
        }
        let mut line = Vec::new();
        emf_metrics.write_line("8f5e", &mut line);
        assert_eq!(serde_json::from_slice::<Value>(&line).unwrap()["Errors"], 2);
    }
}
