//! From an answer to what Lambda returns.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::PayloadFormat;

/// Gives an answer the shape of the event that asked. A body that is no text becomes base64.
pub async fn response(response: Response<Body>, format: PayloadFormat) -> Value {
    let (mut head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_else(|error| {
        tracing::error!(%error, "response body failed");
        head.status = StatusCode::INTERNAL_SERVER_ERROR;
        axum::body::Bytes::new()
    });
    let (body, is_base64) = match String::from_utf8(body.to_vec()) {
        Ok(text) if text.is_empty() || is_text(&head.headers) => (text, false),
        _ => (STANDARD.encode(&body), true),
    };
    let status = head.status.as_u16();
    let headers = head.headers;
    match format {
        PayloadFormat::Bare => json!({ "statusCode": status, "headers": joined(&headers), "body": body }),
        PayloadFormat::HttpApi => {
            let cookies = values(&headers, &SET_COOKIE);
            let headers = joined(&without_cookies(headers));
            json!({ "statusCode": status, "headers": headers, "cookies": cookies, "body": body,
                "isBase64Encoded": is_base64 })
        }
        PayloadFormat::Proxy => {
            json!({ "statusCode": status, "headers": joined(&without_cookies(headers.clone())),
            "multiValueHeaders": several(&headers), "body": body, "isBase64Encoded": is_base64 })
        }
        PayloadFormat::LoadBalancer { .. } | PayloadFormat::Lattice => {
            let multi_value = format == PayloadFormat::LoadBalancer { multi_value: true };
            let description = head.status.canonical_reason().unwrap_or_default();
            let (name, headers) = if multi_value {
                ("multiValueHeaders", several(&headers))
            } else {
                ("headers", joined(&headers))
            };
            json!({ "statusCode": status, "statusDescription": format!("{status} {description}"), name: headers,
                "body": body, "isBase64Encoded": is_base64 })
        }
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(kind, "application/json" | "application/xml" | "application/javascript")
}

fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

/// Each header once; several values of one are joined as HTTP allows.
fn joined(headers: &HeaderMap) -> Map<String, Value> {
    headers.keys().map(|name| (name.to_string(), values(headers, name).join(", ").into())).collect()
}

/// Each header with all its values.
fn several(headers: &HeaderMap) -> Map<String, Value> {
    headers.keys().map(|name| (name.to_string(), values(headers, name).into())).collect()
}

/// Cookies are the one header whose values cannot be joined.
fn without_cookies(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(SET_COOKIE);
    headers
}
