//! The one form in which every failure is answered: RFC 9457 problem details, with the recipe's `error` member.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// A failure, as its caller sees it.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// Stable and machine-readable.
    pub(crate) code: &'static str,
    /// One sentence for a person.
    pub(crate) detail: Cow<'static, str>,
    /// The input field, query parameter or header at fault.
    pub(crate) field: Option<String>,
    /// When trying again makes sense.
    pub(crate) retry_after: Option<Duration>,
}

/// Problem details; `type` is `about:blank`, since `code` says what the status alone does not.
#[derive(Serialize)]
struct Details<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// The recipe's member: the same sentence as `detail`.
    error: &'a str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), field: None, retry_after: None }
    }

    /// A request that breaks a rule, at `field`.
    pub(crate) fn invalid(
        code: &'static str,
        field: impl Into<String>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { field: Some(field.into()), ..Self::new(StatusCode::BAD_REQUEST, code, detail) }
    }

    /// The same, said of an input field, query parameter or header.
    pub(crate) fn at_field(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// A defect of ours, of which the caller learns nothing more.
    pub(crate) fn internal(cause: &impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "an answer could not be made");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let details = Details {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            field: self.field.as_deref(),
            error: &self.detail,
        };
        let body = serde_json::to_vec(&details).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"orderbell\""));
        }
        if let Some(delay) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(delay)));
        }
        response
    }
}

/// A delay as `Retry-After`'s value.
pub(crate) fn seconds(delay: Duration) -> HeaderValue {
    HeaderValue::from(whole_seconds(delay))
}

/// A delay as `Retry-After` says it: rounded up, so that nobody comes too early.
fn whole_seconds(delay: Duration) -> u64 {
    let rest = u64::from(delay.subsec_nanos() > 0);
    delay.as_secs().saturating_add(rest).max(1)
}

/// For a path that no route has.
pub(crate) fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_such_route", "There is nothing at this address")
}

/// For a method that a route does not have; the router adds `Allow`.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address does not answer that method",
    )
}
