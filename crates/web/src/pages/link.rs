//! What the pages behind a message's links have in common.

use application::Error;
use askama::Template;
use axum::response::{IntoResponse, Response};
use domain::link_token::token_in_query;
use domain::subscription::{Subscription, SubscriptionId};
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;

use super::{MessagePage, failure_page, page};
use crate::api::answer;
use crate::problem::Problem;
use crate::router::Web;

/// A page that asks before its button does something.
#[derive(Template)]
#[template(path = "ask.html")]
pub(super) struct AskPage<'a> {
    pub(super) version: &'a str,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
    /// Whom it is about, masked: the page may be seen by others than its owner.
    pub(super) endpoint: &'a str,
    pub(super) button: &'a str,
    /// Whether pressing the button takes something away.
    pub(super) ends: bool,
}

/// What a program is told when a link did its work.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoneJson<'a> {
    message: &'a str,
    subscription_id: SubscriptionId,
    state: &'static str,
}

/// The token in a link; empty, and so not valid, if there is none.
/// Other parameters are ignored: mail services and trackers add theirs.
pub(super) fn token(uri: &Uri) -> String {
    token_in_query(uri.query().unwrap_or_default())
}

/// What a link's POST answers: JSON for a program that prefers it, a page for everyone else.
pub(super) fn done(
    web: &Web,
    headers: &HeaderMap,
    message: &str,
    result: Result<Subscription, Problem>,
) -> Response {
    let json = prefers_json(headers);
    match result {
        Ok(subscription) if json => {
            let (subscription_id, state) = (subscription.id, subscription.state.name());
            answer(StatusCode::OK, &DoneJson { message, subscription_id, state })
        }
        Ok(subscription) => {
            let text = format!("{} · {}", subscription.endpoint.protocol(), subscription.endpoint.masked());
            let version = web.settings.version;
            page(StatusCode::OK, &MessagePage { version, title: message, text: &text, good: true })
        }
        Err(problem) if json => problem.into_response(),
        Err(problem) => failure_page(web.settings.version, &problem),
    }
}

/// The use case's failure, for a page.
pub(super) fn failed(web: &Web, error: Error) -> Response {
    failure_page(web.settings.version, &error.into())
}

/// Whether JSON is accepted with more weight than HTML (RFC 9110, section 12.5.1); `*/*` prefers neither.
fn prefers_json(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<_> = accept.flat_map(|value| value.split(',')).map(weighted).collect();
    let weight = |wanted: &str| {
        ranges.iter().find(|(range, _)| range.eq_ignore_ascii_case(wanted)).map_or(0.0, |(_, weight)| *weight)
    };
    weight("application/json") > weight("text/html")
}

fn weighted(range: &str) -> (&str, f32) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q="));
    (name, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn accepts(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(value))])
    }

    #[test]
    fn only_who_prefers_json_gets_it() {
        assert!(prefers_json(&accepts("application/json")));
        assert!(prefers_json(&accepts("text/html;q=0.5, application/json")));
        assert!(!prefers_json(&accepts("text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8")));
        assert!(!prefers_json(&accepts("*/*")));
        assert!(!prefers_json(&HeaderMap::new()));
    }
}
