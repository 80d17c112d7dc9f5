//! From an event to a request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use url::{Position, Url, form_urlencoded};

use super::path::{Route, candidate_paths, route, without_stage};
use super::unsupported_source::{unsupported_context, unsupported_source};
use super::{BadEvent, PayloadFormat};
use super::{flag, object, pairs, text};
use crate::order_path_alias::{CREATE_ORDER, OrderPathAlias};

/// What every kind of event has of a request.
struct Parts {
    method: String,
    /// The paths that may be meant, the likeliest first.
    paths: Vec<String>,
    /// Still encoded.
    query: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    is_base64: bool,
}

/// Reads an event. Of the paths that it may mean, the first that is served is taken, `order_path_aliases` among them.
///
/// # Errors
/// It is no JSON, an event of another service, or a request with a member that cannot be read; the error names it.
pub fn request(
    event: &[u8],
    order_path_aliases: &[OrderPathAlias],
) -> Result<(Request<Body>, PayloadFormat), BadEvent> {
    let raw: &RawValue = serde_json::from_slice(event).map_err(|wrong| {
        BadEvent(format!("it is no JSON (line {}, column {})", wrong.line(), wrong.column()))
    })?;
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    let has = |name: &str| members.get(name).is_some_and(|value: &&RawValue| value.get() != "null");
    if let Some(what) = unsupported_source(&has) {
        return Err(BadEvent(what.to_owned()));
    }
    let lattice = has("method") && (has("raw_path") || has("path"));
    if !has("requestContext") && !has("httpMethod") && !lattice {
        return Ok((bare(&members), PayloadFormat::Bare));
    }
    let event: Map<String, Value> =
        serde_json::from_str(raw.get()).map_err(|_| BadEvent("it nests too deep".to_owned()))?;
    let empty = Map::new();
    let context = object(&event, "requestContext")?.unwrap_or(&empty);
    if let Some(what) = unsupported_context(context) {
        return Err(BadEvent(what.to_owned()));
    }
    let (parts, format) = if context.contains_key("http") {
        (http_api(&event, context)?, PayloadFormat::HttpApi)
    } else if context.contains_key("elb") {
        load_balancer(&event)?
    } else if lattice {
        (lattice_request(&event)?, PayloadFormat::Lattice)
    } else {
        (proxy(&event, context)?, PayloadFormat::Proxy)
    };
    Ok((parts.build(order_path_aliases)?, format))
}

/// The recipe's way with `body`: a string is JSON to be read, an object is the order itself, everything else is
/// nothing.
fn bare(members: &BTreeMap<Cow<'_, str>, &RawValue>) -> Request<Body> {
    let body = match members.get("body").map(|body| body.get()) {
        Some(text) if text.starts_with('"') => serde_json::from_str(text).unwrap_or_default(),
        Some(object) if object.starts_with('{') => object.to_owned(),
        _ => String::new(),
    };
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static(CREATE_ORDER);
    request
}

/// Payload 2.0. A mapping's path does not stand in `rawPath`; what a route says goes before it all the same.
fn http_api(event: &Map<String, Value>, context: &Map<String, Value>) -> Result<Parts, BadEvent> {
    let http =
        object(context, "http")?.ok_or_else(|| BadEvent("requestContext.http is missing".to_owned()))?;
    let mut headers = pairs(event, "headers")?;
    if let Some(Value::Array(cookies)) = event.get("cookies") {
        let cookies: Vec<_> = cookies.iter().filter_map(Value::as_str).collect();
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case(COOKIE.as_str()) || cookies.is_empty());
        headers.extend(Some((COOKIE.to_string(), cookies.join("; "))).filter(|_| !cookies.is_empty()));
    }
    let path = text(event, "rawPath")?.or(text(http, "path")?).unwrap_or("/");
    let stage = text(context, "stage")?;
    // `POST /create-order`, or `$default`, which says no path.
    let route_path = text(event, "routeKey")?.and_then(|key| key.split_once(' ')).map(|(_, path)| path);
    Ok(Parts {
        method: text(http, "method")?.unwrap_or_default().to_owned(),
        paths: candidate_paths(route(event, route_path)?, without_stage(path, stage), path),
        query: text(event, "rawQueryString")?.unwrap_or_default().to_owned(),
        headers,
        body: text(event, "body")?.map(str::to_owned),
        is_base64: flag(event, "isBase64Encoded")?,
    })
}

/// Payload 1.0 and REST APIs. `path` holds the path of a custom domain's mapping; `resource` does not.
fn proxy(event: &Map<String, Value>, context: &Map<String, Value>) -> Result<Parts, BadEvent> {
    let path = text(event, "path")?.unwrap_or("/");
    let (stage, full_path) = (text(context, "stage")?, text(context, "path")?);
    // A REST API's own path has no stage, and its context says so: a resource may be called as the stage is.
    let has_stage = full_path.is_none_or(|full_path| full_path == path);
    let bare_path = if has_stage { without_stage(path, stage) } else { path };
    let resource = text(event, "resource")?.or(text(context, "resourcePath")?);
    let method = text(event, "httpMethod")?.or(text(context, "httpMethod")?);
    let query = several(event, "multiValueQueryStringParameters", "queryStringParameters")?;
    Ok(Parts {
        method: method.unwrap_or_default().to_owned(),
        paths: candidate_paths(route(event, resource)?, bare_path, path),
        query: form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish(),
        headers: several(event, "multiValueHeaders", "headers")?,
        body: text(event, "body")?.map(str::to_owned),
        is_base64: flag(event, "isBase64Encoded")?,
    })
}

fn load_balancer(event: &Map<String, Value>) -> Result<(Parts, PayloadFormat), BadEvent> {
    let multi_value = object(event, "multiValueHeaders")?.is_some();
    // A load balancer hands the query on as it came: still encoded.
    let query = several(event, "multiValueQueryStringParameters", "queryStringParameters")?;
    let query: Vec<_> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = text(event, "path")?.unwrap_or("/");
    let parts = Parts {
        method: text(event, "httpMethod")?.unwrap_or_default().to_owned(),
        paths: candidate_paths(Route::default(), path, path),
        query: query.join("&"),
        headers: several(event, "multiValueHeaders", "headers")?,
        body: text(event, "body")?.map(str::to_owned),
        is_base64: flag(event, "isBase64Encoded")?,
    };
    Ok((parts, PayloadFormat::LoadBalancer { multi_value }))
}

/// VPC Lattice's events, version 1 (`raw_path`, with the query) and 2 (`path`).
/// <https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html>
fn lattice_request(event: &Map<String, Value>) -> Result<Parts, BadEvent> {
    let (path, query_member, flag_member) = match text(event, "raw_path")? {
        Some(path) => (path, "query_string_parameters", "is_base64_encoded"),
        None => (text(event, "path")?.unwrap_or("/"), "queryStringParameters", "isBase64Encoded"),
    };
    let (path, query) = if let Some((path, query)) = path.split_once('?') {
        (path, query.to_owned())
    } else {
        let query = pairs(event, query_member)?;
        (path, form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish())
    };
    Ok(Parts {
        method: text(event, "method")?.unwrap_or_default().to_owned(),
        paths: candidate_paths(Route::default(), path, path),
        query,
        headers: pairs(event, "headers")?,
        body: text(event, "body")?.map(str::to_owned),
        is_base64: flag(event, flag_member)?,
    })
}

/// The member that has every value, or else the one that has one of each name.
fn several(event: &Map<String, Value>, all: &str, single: &str) -> Result<Vec<(String, String)>, BadEvent> {
    let (all, single) = (pairs(event, all)?, pairs(event, single)?);
    Ok(if all.is_empty() { single } else { all })
}

impl Parts {
    fn build(self, order_path_aliases: &[OrderPathAlias]) -> Result<Request<Body>, BadEvent> {
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64 {
            let wrong = |_| BadEvent("isBase64Encoded is true, and body is not base64".to_owned());
            STANDARD.decode(body).map_err(wrong)?
        } else {
            body.into_bytes()
        };
        let served = self.paths.iter().position(|path| crate::router::is_served(path, order_path_aliases));
        let path = self.paths.get(served.unwrap_or_default()).map_or("/", String::as_str);
        let method = Method::from_bytes(self.method.as_bytes());
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method.map_err(|_| BadEvent("it names no HTTP method".to_owned()))?;
        *request.uri_mut() =
            uri(path, &self.query).ok_or_else(|| BadEvent("its path is none of a URL".to_owned()))?;
        *request.headers_mut() = headers(self.headers)?;
        Ok(request)
    }
}

fn headers(pairs: Vec<(String, String)>) -> Result<HeaderMap, BadEvent> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let header = HeaderName::from_bytes(name.as_bytes()).ok();
        let (Some(header), Ok(value)) = (header, HeaderValue::from_bytes(value.as_bytes())) else {
            return Err(BadEvent("headers has one that HTTP cannot have".to_owned()));
        };
        headers.append(header, value);
    }
    Ok(headers)
}

/// A URI of what may hold characters that a URI cannot.
fn uri(path: &str, query: &str) -> Option<http::Uri> {
    let mut url = Url::parse("http://localhost").ok()?;
    url.set_path(path);
    url.set_query(Some(query).filter(|query| !query.is_empty()));
    url[Position::BeforePath..].parse().ok()
}
