//! From an event to a request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Method, Request};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use url::{Position, Url, form_urlencoded};

use super::{BadEvent, Shape};
use crate::router::CREATE_ORDER;

/// The stage whose name stands in no path.
const DEFAULT_STAGE: &str = "$default";

type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// What tells the kinds of events apart.
#[derive(Default, Deserialize)]
struct Context {
    http: Option<IgnoredAny>,
    elb: Option<IgnoredAny>,
}

/// What every kind of event has of a request.
struct Parts {
    method: Method,
    path: String,
    /// Still encoded.
    query: String,
    headers: HeaderMap,
    body: Option<String>,
    is_base64: bool,
}

/// Reads an event.
///
/// # Errors
/// If it is not JSON, or of a kind that is no request, such as a web socket's.
pub fn request(event: &[u8]) -> Result<(Request<Body>, Shape), BadEvent> {
    let event: &RawValue = serde_json::from_slice(event).map_err(|error| BadEvent(error.to_string()))?;
    let members: Members<'_> = serde_json::from_str(event.get()).unwrap_or_default();
    let has = |name| members.get(name).is_some_and(|value: &&RawValue| value.get() != "null");
    if !has("requestContext") && !has("httpMethod") {
        return Ok((bare(&members), Shape::Bare));
    }
    let context =
        members.get("requestContext").map(|context| read::<Option<Context>>(context.get())).transpose()?;
    match context.flatten().unwrap_or_default() {
        Context { http: Some(_), .. } => Ok((http_api(event.get())?.build()?, Shape::HttpApi)),
        Context { elb: Some(_), .. } => load_balancer(event.get()),
        _ => Ok((proxy(event.get())?.build()?, Shape::Proxy)),
    }
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, BadEvent> {
    serde_json::from_str(json).map_err(|error| BadEvent(error.to_string()))
}

/// The seed's way with `body`: a string is JSON to be read, an object is the order itself, everything else is
/// nothing.
fn bare(members: &Members<'_>) -> Request<Body> {
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

fn http_api(json: &str) -> Result<Parts, BadEvent> {
    let event: ApiGatewayV2httpRequest = read(json)?;
    let mut headers = event.headers;
    if let Some(cookies) = event.cookies.filter(|cookies| !cookies.is_empty()) {
        let cookies =
            HeaderValue::try_from(cookies.join("; ")).map_err(|error| BadEvent(error.to_string()))?;
        headers.insert(COOKIE, cookies);
    }
    let path = event.raw_path.unwrap_or_default();
    Ok(Parts {
        method: event.request_context.http.method,
        path: without_stage(&path, event.request_context.stage.as_deref()).to_owned(),
        query: event.raw_query_string.unwrap_or_default(),
        headers,
        body: event.body,
        is_base64: event.is_base64_encoded,
    })
}

fn proxy(json: &str) -> Result<Parts, BadEvent> {
    let mut members: Map<String, Value> = read(json)?;
    complete_context(&mut members);
    let event: ApiGatewayProxyRequest = read(&Value::Object(members).to_string())?;
    let (single, several) = (event.query_string_parameters, event.multi_value_query_string_parameters);
    let query = if several.is_empty() { single } else { several };
    let path = event.path.unwrap_or_default();
    let (stage, full_path) = (event.request_context.stage, event.request_context.path);
    // A REST API's own path has no stage, and its context says so: a resource may be called as the stage is.
    let has_stage = full_path.is_none_or(|full_path| full_path == path);
    Ok(Parts {
        method: event.http_method,
        path: if has_stage { without_stage(&path, stage.as_deref()).to_owned() } else { path },
        query: form_urlencoded::Serializer::new(String::new()).extend_pairs(query.iter()).finish(),
        headers: if event.multi_value_headers.is_empty() { event.headers } else { event.multi_value_headers },
        body: event.body,
        is_base64: event.is_base64_encoded,
    })
}

/// Adds what an event that was written by hand may lack.
fn complete_context(event: &mut Map<String, Value>) {
    let method = event.get("httpMethod").cloned().unwrap_or_default();
    let context = event.entry("requestContext").or_insert_with(|| Map::new().into());
    if context.is_null() {
        *context = Map::new().into();
    }
    if let Value::Object(context) = context {
        context.entry("httpMethod").or_insert(method);
    }
}

fn load_balancer(json: &str) -> Result<(Request<Body>, Shape), BadEvent> {
    let event: AlbTargetGroupRequest = read(json)?;
    let multi_value = !event.multi_value_headers.is_empty();
    let (single, several) = (event.query_string_parameters, event.multi_value_query_string_parameters);
    let query = if several.is_empty() { single } else { several };
    // A load balancer hands the query on as it came: still encoded.
    let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let parts = Parts {
        method: event.http_method,
        path: event.path.unwrap_or_default(),
        query: pairs.join("&"),
        headers: if multi_value { event.multi_value_headers } else { event.headers },
        body: event.body,
        is_base64: event.is_base64_encoded,
    };
    Ok((parts.build()?, Shape::LoadBalancer { multi_value }))
}

/// The path behind the stage's name, with which it begins where the stage is not the default one.
fn without_stage<'a>(path: &'a str, stage: Option<&str>) -> &'a str {
    let Some(stage) = stage.filter(|stage| !stage.is_empty() && *stage != DEFAULT_STAGE) else { return path };
    match path.strip_prefix('/').and_then(|path| path.strip_prefix(stage)) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

impl Parts {
    fn build(self) -> Result<Request<Body>, BadEvent> {
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64 {
            STANDARD.decode(body).map_err(|error| BadEvent(format!("its body is not base64: {error}")))?
        } else {
            body.into_bytes()
        };
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = self.method;
        *request.uri_mut() = uri(&self.path, &self.query).map_err(|error| BadEvent(error.to_string()))?;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

/// A URI of what may hold characters that a URI cannot.
fn uri(path: &str, query: &str) -> Result<http::Uri, Box<dyn std::error::Error>> {
    let mut url = Url::parse("http://localhost")?;
    url.set_path(path);
    url.set_query(Some(query).filter(|query| !query.is_empty()));
    Ok(url[Position::BeforePath..].parse()?)
}
