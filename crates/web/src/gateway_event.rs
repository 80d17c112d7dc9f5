//! From what Lambda is invoked with to a request, and from an answer to what Lambda returns.
//!
//! It knows API Gateway's payloads 1.0 (REST APIs as well) and 2.0 (function URLs as well), load balancers, VPC Lattice,
//! and the bare event: every JSON value that is none of these, nor of a service that sends no requests, is an order to be
//! placed, as the seed's function took it.

mod foreign;
mod members;
mod parse;
mod place;
mod reply;
mod source;

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::problem::Problem;

pub use parse::request;
pub use reply::response;
pub use source::client;

/// What an event was, and so what its answer looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
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
