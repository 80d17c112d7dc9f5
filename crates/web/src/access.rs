//! Who calls: the keys that programs present.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::client::Client;
use crate::keys::{ADMIN, KeyHash, OrderAuth};
use crate::parameters::single;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::state::Web;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The proof that a request carries the admin key, or came through the operator's socket: a handler that takes it is a
/// management route.
pub(crate) struct Admin;

impl FromRequestParts<Arc<Web>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Problem> {
        let Some(admin_key) = &web.settings.admin_key else { return Err(management_disabled()) };
        if comes_from_operator(&parts.headers, &parts.extensions) {
            return Ok(Self);
        }
        match presented_key(&parts.headers)? {
            Some(key) => check_key(web, &parts.extensions, &key, || admin_key.matches(&key).then_some(Self)),
            None => Err(key_required("This address needs the admin key")),
        }
    }
}

/// The proof that a request may read the metrics: it carries their key or the admin key, or came over the operator's
/// socket.
pub(crate) struct CanReadMetrics;

impl FromRequestParts<Arc<Web>> for CanReadMetrics {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Problem> {
        if comes_from_operator(&parts.headers, &parts.extensions) {
            return Ok(Self);
        }
        let Some(key) = presented_key(&parts.headers)? else {
            return Err(key_required("The metrics need their key (metrics_key) or the admin key"));
        };
        let mut keys = web.settings.metrics_key.iter().chain(&web.settings.admin_key);
        check_key(web, &parts.extensions, &key, || keys.any(|known| known.matches(&key)).then_some(Self))
    }
}

/// Whose order this is: the name of the presented key, or nothing for a caller without one.
pub(crate) fn caller<'a>(web: &'a Web, head: &Parts) -> Result<&'a str, Problem> {
    let Settings { admin_key, order_auth, .. } = &web.settings;
    match (presented_key(&head.headers)?, order_auth) {
        (Some(key), order_auth) => {
            check_key(web, &head.extensions, &key, || holder(admin_key.as_ref(), order_auth, &key))
        }
        (None, _) if comes_from_operator(&head.headers, &head.extensions) => Ok(ADMIN),
        (None, OrderAuth::Open) => Ok(""),
        (None, OrderAuth::Keys(_)) => Err(key_required("Placing an order needs a key")),
    }
}

/// Whether a request without any key came through the operator's socket. Any `Authorization` says that it is to count for
/// what it proves, and no more.
fn comes_from_operator(headers: &HeaderMap, extensions: &Extensions) -> bool {
    let names_somebody = headers.contains_key(API_KEY) || headers.contains_key(AUTHORIZATION);
    Client::is_operator(extensions) && !names_somebody
}

/// Looks at a key, unless too many wrong ones came from the same client.
pub(crate) fn check_key<T>(
    web: &Web,
    extensions: &Extensions,
    key: &KeyHash,
    open: impl FnOnce() -> Option<T>,
) -> Result<T, Problem> {
    let (client, now) = (Client::counted(extensions), web.app.clock.now());
    let auth_throttle = &web.settings.auth_throttle;
    if let Some(wait) = auth_throttle.wait(client, now) {
        return Err(too_many_wrong_keys(wait));
    }
    let wrong =
        || auth_throttle.record_wrong_key(client, key, now).map_or_else(wrong_key, too_many_wrong_keys);
    open().ok_or_else(wrong)
}

fn holder<'a>(admin_key: Option<&KeyHash>, order_auth: &'a OrderAuth, key: &KeyHash) -> Option<&'a str> {
    if admin_key.is_some_and(|admin_key| admin_key.matches(key)) {
        return Some(ADMIN);
    }
    let OrderAuth::Keys(keys) = order_auth else { return None };
    keys.iter().find(|known| known.hash.matches(key)).map(|known| known.name.as_str())
}

/// The hash of the key in `x-api-key`, or else of the one in `Authorization: Bearer`. Other schemes are not
/// ours.
fn presented_key(headers: &HeaderMap) -> Result<Option<KeyHash>, Problem> {
    // What is not UTF-8 is no key that anybody has.
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let api_key = single(headers, &API_KEY, "x-api-key")?;
    let key = match (api_key, single(headers, &AUTHORIZATION, "Authorization")?) {
        (Some(key), _) => Some(text(key)),
        (None, Some(authorization)) => bearer_token(&text(authorization)).map(str::to_owned),
        (None, None) => None,
    };
    Ok(key.map(|key| KeyHash::of(&key)))
}

fn bearer_token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// For a host without an admin key.
pub(crate) fn management_disabled() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "management_disabled",
        "This host has no admin key: it cannot be managed here",
    )
}

fn key_required(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "key_required", detail)
}

fn wrong_key() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "wrong_key", "This key does not open this address")
}

fn too_many_wrong_keys(wait: Duration) -> Problem {
    let detail = "Too many wrong keys came from your address: wait before you present another";
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_wrong_keys", detail);
    Problem { retry_after: Some(wait), ..problem }
}
