//! Reading request bodies: bounded in size and in time, and their members with errors that name them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use domain::Timestamp;
use domain::json_text::{repeated_member, utf8};
use futures_util::FutureExt;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, StatusCode};
use http_body_util::LengthLimitError;
use serde_json::value::RawValue;

use crate::problem::Problem;

/// The largest body, in bytes: every order that fits can also be published within SNS's 256 KiB.
pub(crate) const MAX_BODY: usize = 64 * 1_024;
/// How long a body may take to arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The code of an error that names a member or field that stands there twice.
pub(crate) const REPEATED: &str = "repeated_member";

/// Reads a body of at most [`MAX_BODY`] bytes, as it is: what is compressed is refused by its name.
pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    refuse_compressed(headers)?;
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    let mut whole = pin!(axum::body::to_bytes(body, MAX_BODY));
    // Most bodies come with their heads, and need no timer.
    let whole = match whole.as_mut().now_or_never() {
        Some(whole) => Ok(whole),
        None => Box::pin(tokio::time::timeout(READ_TIMEOUT, whole)).await,
    };
    match whole {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => Err(too_large()),
        Ok(Err(_)) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", "The body did not arrive whole"))
        }
        Err(_) => {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", "The body took too long to arrive"))
        }
    }
}

fn refuse_compressed(headers: &HeaderMap) -> Result<(), Problem> {
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes());
        let as_it_is = |name: &str| name.is_empty() || name.eq_ignore_ascii_case("identity");
        if let Some(name) = value.split(',').map(str::trim).find(|name| !as_it_is(name)) {
            return Err(unsupported_encoding(name).at_field("Content-Encoding"));
        }
    }
    Ok(())
}

/// The JSON of a body: without the mark that some programs put before it, and in no other encoding than UTF-8.
pub(crate) fn json(body: &[u8]) -> Result<&[u8], Problem> {
    utf8(body).map_err(|other| unsupported_encoding(other.name()))
}

fn unsupported_encoding(name: &str) -> Problem {
    let detail = format!("The body is encoded as {name}: send it as UTF-8, and not compressed");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", detail)
}

/// The whole body of a request, taken by a handler after all that decides whether it is worth reading.
pub(crate) struct RawBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        read(&head.headers, body).await.map(Self)
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>)
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "The body must be at most 64 KiB (65536 bytes)",
    )
}

/// The members of a JSON object, each still as the client wrote it, so that numbers stay exact.
pub(crate) struct Members<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Members<'a> {
    /// Reads an object that has no other members than `known`, and each once.
    pub(crate) fn read(body: &'a [u8], known: &[&str]) -> Result<Self, Problem> {
        let json = json(body)?;
        let malformed = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail);
        let value: &RawValue = serde_json::from_slice(json)
            .map_err(|error| malformed(format!("The body is not valid JSON: {error}")))?;
        let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(value.get())
            .map_err(|_| malformed("The body must be a JSON object".to_owned()))?;
        if let Some(name) = members.keys().find(|name| !known.contains(&name.as_ref())) {
            let detail = format!("{name} is not known here; there is {}", known.join(", "));
            return Err(Problem::invalid("unknown_member", name.as_ref(), detail));
        }
        match repeated_member(value.get()) {
            None => Ok(Self(members)),
            Some(name) => Err(repeated(name)),
        }
    }

    /// The member's JSON; `None` if it is absent.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get())
    }

    /// The member's text; `None` if it is absent or `null`.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let Some(json) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(json).map_err(|_| not_text(name))
    }

    /// The member's text; `None` only if it is absent: for a filter whose absence means all.
    pub(crate) fn filter(&self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.raw(name) {
            Some("null") => Err(not_text(name)),
            _ => self.text(name),
        }
    }

    /// The time in a member, if it is there.
    pub(crate) fn time(&self, name: &'static str) -> Result<Option<Timestamp>, Problem> {
        let wrong = |_| {
            let detail = format!("{name} must be a time such as 2026-01-31T12:00:00Z");
            Problem::invalid("invalid_time", name, detail)
        };
        self.filter(name)?.map(|text| text.parse().map_err(wrong)).transpose()
    }

    /// The member's text, which must be there.
    pub(crate) fn required(&self, name: &'static str) -> Result<String, Problem> {
        self.text(name)?.ok_or_else(|| Problem::invalid("missing_field", name, format!("{name} is missing")))
    }
}

/// Which of two was meant nobody knows.
pub(crate) fn repeated(name: String) -> Problem {
    let detail = format!("{name} must be given once");
    Problem::invalid(REPEATED, name, detail)
}

fn not_text(name: &'static str) -> Problem {
    Problem::invalid("wrong_type", name, format!("{name} must be a string"))
}
