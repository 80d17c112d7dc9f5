//! What API Gateway does for a function: an HTTP API whose one route, `$default`, hands every request over as an event
//! with payload format 2.0 and no CORS of its own, so that the function's answers are seen as they are.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::function::{Function, Outcome};
use crate::client::GATEWAY_FAILURE;

/// The largest payload of an HTTP API, in bytes.
const MAX_PAYLOAD: usize = 10_000_000;

/// A running gateway on the loopback interface; it ends when this is dropped.
#[derive(Debug)]
pub struct Gateway {
    url: String,
    server: JoinHandle<()>,
}

impl Gateway {
    /// Starts a gateway before a function.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(function: Arc<Function>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let service = axum::Router::new()
            .fallback(serve)
            .layer(DefaultBodyLimit::max(MAX_PAYLOAD))
            .with_state(function);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                eprintln!("the gateway ended: {error}");
            }
        });
        Ok(Self { url, server })
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    State(function): State<Arc<Function>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let answered = async {
        match function.invoke(&event(&method, &uri, &headers, &body)).await? {
            Outcome::Answer(answer) => response(&answer),
            Outcome::Failed(reason) => anyhow::bail!("the function failed: {reason}"),
        }
    };
    answered.await.unwrap_or_else(|error| {
        eprintln!("the gateway answers 500: {error:#}");
        let mut response = Response::new(Body::from(GATEWAY_FAILURE));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// A request as an event. Repeated headers are joined by commas, cookies stand by themselves, and what is no text is
/// base64.
fn event(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Value {
    let mut joined = BTreeMap::<&str, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str())
            .and_modify(|all| *all = format!("{all},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    let cookies: Option<Vec<_>> =
        joined.remove("cookie").map(|all| all.split("; ").map(str::to_owned).collect());
    let content_type = joined.get("content-type").map_or("", String::as_str);
    let text = std::str::from_utf8(body).ok().filter(|_| is_text(content_type));
    let encoded = text.map_or_else(|| STANDARD.encode(body), str::to_owned);
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": uri.path(), "rawQueryString": uri.query().unwrap_or(""),
        "cookies": cookies, "headers": joined,
        "requestContext": {
            "accountId": "123456789012", "apiId": "emulated", "domainName": "emulated.example", "stage": "$default",
            "http": {"method": method.as_str(), "path": uri.path(), "protocol": "HTTP/1.1",
                     "sourceIp": "192.0.2.1", "userAgent": joined.get("user-agent")},
            "requestId": "emulated", "routeKey": "$default", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 0,
        },
        "body": Some(encoded).filter(|body| !body.is_empty()), "isBase64Encoded": text.is_none() && !body.is_empty(),
    })
}

fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/")
        || matches!(kind, "application/json" | "application/xml" | "application/javascript")
}

fn response(answer: &Value) -> Result<Response<Body>> {
    let status = answer["statusCode"].as_u64().context("a statusCode")?;
    let mut response = Response::builder().status(u16::try_from(status)?);
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        response = response.header(name, value.as_str().context("a header's text")?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        response = response.header("set-cookie", cookie.as_str().context("a cookie's text")?);
    }
    let body = answer["body"].as_str().unwrap_or_default();
    let body = if answer["isBase64Encoded"] == true { STANDARD.decode(body)? } else { body.into() };
    Ok(response.body(Body::from(body))?)
}
