//! From what Lambda is invoked with to a request, and from an answer to what Lambda returns.
//!
//! It knows API Gateway's payloads 1.0 (REST APIs as well) and 2.0 (function URLs as well), load balancers, VPC Lattice,
//! and the bare event: every JSON value that is none of these, nor of a service that sends no requests, is an order to be
//! placed, as the recipe's function took it.

mod parse;
mod path;
mod response;
mod source;
mod unsupported_source;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value};

use crate::problem::Problem;

pub use parse::request;
pub use response::response;
pub use source::client;

/// The format of an event's payload, and so of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadFormat {
    /// API Gateway's payload 2.0, or a function URL's.
    HttpApi,
    /// API Gateway's payload 1.0, or a REST API's.
    Proxy,
    /// A load balancer's.
    LoadBalancer {
        /// Its target group has multi-value headers switched on, for requests and answers alike.
        multi_value: bool,
    },
    /// VPC Lattice's.
    Lattice,
    /// Not HTTP's: an order, as a test event of the Lambda console has it.
    Bare,
}

/// An event that is no request: why, as the end of a sentence. It repeats nothing of the event but names.
#[derive(Debug)]
pub struct BadEvent(String);

impl std::fmt::Display for BadEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "The event is no request: {}", self.0)
    }
}

impl std::error::Error for BadEvent {}

impl IntoResponse for BadEvent {
    /// Says that it is the event's fault, and which.
    fn into_response(self) -> Response {
        tracing::warn!(error = %self, "event refused");
        Problem::new(StatusCode::BAD_REQUEST, "bad_event", self.to_string()).into_response()
    }
}

/// The longest name from an event that a sentence repeats, in characters.
const MAX_NAME: usize = 64;

/// A text; `None` where it is absent or `null`.
fn text<'a>(event: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, BadEvent> {
    match event.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(BadEvent(format!("{name} must be a string"))),
    }
}

/// Whether it is true; absent and `null` are false.
fn flag(event: &Map<String, Value>, name: &str) -> Result<bool, BadEvent> {
    match event.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(BadEvent(format!("{name} must be true or false"))),
    }
}

/// An object; `None` where it is absent or `null`.
fn object<'a>(event: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Map<String, Value>>, BadEvent> {
    match event.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(BadEvent(format!("{name} must be an object"))),
    }
}

/// An object of texts, or of lists of texts: each name with each of its values.
fn pairs(event: &Map<String, Value>, name: &str) -> Result<Vec<(String, String)>, BadEvent> {
    let mut pairs = Vec::new();
    for (key, value) in object(event, name)?.into_iter().flatten() {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        for value in values {
            let Value::String(text) = value else {
                let key: String = key.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
                return Err(BadEvent(format!("{name}.{key} must be a string")));
            };
            pairs.push((key.clone(), text.clone()));
        }
    }
    Ok(pairs)
}
