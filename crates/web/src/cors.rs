//! CORS as API Gateway does it: preflights are answered 204, and an origin that is not allowed gets no header
//! at all.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use futures_util::future::Either;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, RETRY_AFTER,
};
use http::{HeaderName, Method, StatusCode};
use tower::util::Oneshot;
use tower::{Service, ServiceExt};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::handling::PREFERENCE_APPLIED;
use crate::observe::REQUEST_ID;

/// A client's key, with which it may repeat a request.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is an earlier one's repetition.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// What people call the order that was placed.
pub(crate) const SHORT_REFERENCE: HeaderName = HeaderName::from_static("short-reference");
/// How long a browser may remember a preflight's answer.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_mins(10);

/// The CORS rules for a route that is posted to; `None` if no origin is allowed. No credentials: keys are
/// headers. A page that may post may send any header along: those of its tracing and of its framework mean nothing here.
pub(crate) fn layer(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allow_origin = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| origin.parse().ok()))
    };
    let layer = CorsLayer::new()
        .allow_origin(allow_origin)
        .allow_methods([Method::POST, Method::OPTIONS])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([REQUEST_ID, SHORT_REFERENCE, IDEMPOTENCY_REPLAYED, PREFERENCE_APPLIED, RETRY_AFTER])
        .max_age(PREFLIGHT_MAX_AGE);
    Some(layer)
}

/// Lets the `rules` answer whoever comes from an origin; a program, which has none, goes by without their cost.
#[derive(Debug, Clone)]
pub(crate) struct ForOrigins<C, S> {
    /// Shared, since the router clones a route for each request.
    pub(crate) rules: Arc<C>,
    pub(crate) inner: S,
}

impl<C, S> Service<Request> for ForOrigins<C, S>
where
    C: Service<Request> + Clone,
    S: Service<Request, Response = C::Response, Error = C::Error>,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Either<Oneshot<C, Request>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.headers().contains_key(ORIGIN) {
            Either::Left(C::clone(&self.rules).oneshot(request))
        } else {
            Either::Right(self.inner.call(request))
        }
    }
}

/// Makes of the layer's answers what API Gateway would answer: 204 to a preflight, and nothing about CORS to
/// an origin that is not allowed.
pub(crate) fn as_api_gateway(mut response: Response) -> Response {
    if response.headers().contains_key(ACCESS_CONTROL_ALLOW_METHODS) {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    let headers = response.headers_mut();
    if !headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.remove(ACCESS_CONTROL_ALLOW_METHODS);
        headers.remove(ACCESS_CONTROL_ALLOW_HEADERS);
        headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
        headers.remove(ACCESS_CONTROL_MAX_AGE);
    }
    response
}
