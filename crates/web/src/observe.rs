//! What surrounds every request: its id, its span in the log, its count; and what keeps a flood of them out of the log.

use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use application::ports::Randomness;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use domain::Timestamp;
use futures_util::future::{BoxFuture, Either, ready};
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tower::Service;
use tracing::Instrument;

use crate::host_policy::HostPolicy;
use crate::order_path_alias::CREATE_ORDER;

/// The header that names a request, in requests and in answers.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_REQUEST_ID: usize = 64;

/// Observes requests: each gets an id, a span and a count, if its host lets it in.
#[derive(Clone)]
pub(crate) struct Observer {
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) host_policy: Arc<HostPolicy>,
}

/// A route that is observed.
#[derive(Clone)]
pub(crate) struct Observed {
    /// The route's path, for the metric: never the request's own path, which is the caller's.
    pub(crate) path: &'static str,
    pub(crate) route: Route,
    pub(crate) observer: Observer,
}

impl Service<Request> for Observed {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.route, context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(self.observer.observe(self.path, request, &mut self.route))
    }
}

impl Observer {
    /// Answers a request for the route of that path as `route` does. The span tells the route and not the caller's own
    /// path, which can hold anything.
    pub(crate) fn observe<S>(
        &self,
        path: &'static str,
        mut request: Request,
        route: &mut S,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<S>
    where
        S: Service<Request, Response = Response, Error = Infallible>,
    {
        let id = match request.headers().get(REQUEST_ID) {
            Some(id) if is_request_id(id) => id.clone(),
            _ => new_request_id(self.randomness.as_ref()),
        };
        request.headers_mut().insert(REQUEST_ID, id.clone());
        let span = match path {
            // Its one line in the log carries the id itself: a span would cost more than that line.
            CREATE_ORDER => tracing::Span::none(),
            route => span(request.headers(), request.method(), route),
        };
        let answer = match self.host_policy.check(&request) {
            Ok(()) => Either::Left(route.call(request)),
            Err(refused) => Either::Right(ready(Ok(refused.into_response()))),
        };
        let observed = async move {
            let mut response = answer.await?;
            tracing::debug!(status = response.status().as_u16(), "request completed");
            let headers = response.headers_mut();
            headers.insert(REQUEST_ID, id);
            // What an answer is, its content type says: no browser shall find a page in it.
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            count(path, response.status());
            Ok(response)
        };
        observed.instrument(span)
    }
}

/// What stands in every line about a request.
pub(crate) fn span(headers: &HeaderMap, method: &Method, route: &'static str) -> tracing::Span {
    // A method that HTTP does not know is the caller's own word.
    let method = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PATCH,
        Method::DELETE,
        Method::PUT,
        Method::OPTIONS,
    ]
    .into_iter()
    .find(|known| known == method);
    let method = method.as_ref().map_or("other", Method::as_str);
    tracing::info_span!("request", request_id = request_id(headers), method, route)
}

/// The id of an observed request.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned()
}

fn is_request_id(value: &HeaderValue) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_REQUEST_ID).contains(&value.len()) && value.as_bytes().iter().all(allowed)
}

fn new_request_id(randomness: &dyn Randomness) -> HeaderValue {
    let id = format!("{:016x}", u64::from_ne_bytes(randomness.bytes()));
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("0"))
}

fn count(route: &'static str, status: StatusCode) {
    if status == StatusCode::OK && route == CREATE_ORDER {
        // Constant labels need no allocation: this is the path that has to be fast.
        metrics::counter!("orderbell_http_requests_total", "route" => "/create-order", "status" => "200")
            .increment(1);
    } else {
        let status = status.as_str().to_owned();
        metrics::counter!("orderbell_http_requests_total", "route" => route, "status" => status).increment(1);
    }
}

/// The least time between two lines of a throttled log.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Throttles lines of the log about what may come ten thousand times: one at a time, with how many there were.
#[derive(Debug, Default)]
pub(crate) struct LogThrottle {
    /// How many came since the last line.
    pub(crate) suppressed: u64,
    /// When that was.
    pub(crate) last_line: Option<Timestamp>,
}

impl LogThrottle {
    /// How many to log, if it is time for a line; they count as logged.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<u64> {
        let past = self.last_line.map(|last_line| Duration::try_from(now.duration_since(last_line)));
        // A clock that was set back silences nothing.
        let is_time = past.is_none_or(|past| past.map_or(true, |past| past >= LOG_INTERVAL));
        (self.suppressed > 0 && is_time).then(|| {
            self.last_line = Some(now);
            mem::take(&mut self.suppressed)
        })
    }
}
