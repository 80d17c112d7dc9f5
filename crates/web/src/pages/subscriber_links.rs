//! `/subscriptions/confirm` and `/subscriptions/unsubscribe`, the pages behind a message's links: the GET asks, only the
//! POST acts. Mail scanners fetch links.
//!
//! The POST that unsubscribes is also what a mail program sends for `List-Unsubscribe=One-Click` (RFC 8058): it needs no
//! cookie and no body, and it is answered without a redirect.

use std::sync::Arc;

use application::Error;
use application::subscriptions::{confirm, find_by_confirmation_link, find_by_unsubscribe_link, unsubscribe};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::link_token::token_in_query;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;

use super::{MessagePage, failure_page, page};
use crate::api::json_response;
use crate::problem::Problem;
use crate::state::{Routes, Web};

pub(crate) fn routes() -> Routes {
    vec![
        ("/subscriptions/confirm", get(ask_to_confirm).post(confirm_by_link)),
        ("/subscriptions/unsubscribe", get(ask_to_unsubscribe).post(unsubscribe_by_link)),
    ]
}

/// A page that asks before its button does something.
#[derive(Template)]
#[template(path = "ask.html")]
struct AskPage<'a> {
    version: &'a str,
    title: &'a str,
    text: &'a str,
    /// Whom it is about, masked: the page may be seen by others than its owner.
    endpoint: &'a str,
    button: &'a str,
    /// Whether pressing the button takes something away.
    ends: bool,
}

/// What a program is told when a link did its work.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoneJson<'a> {
    message: &'a str,
    subscription_id: SubscriptionId,
    state: &'static str,
}

/// Asks whether to confirm. This changes nothing.
async fn ask_to_confirm(State(web): State<Arc<Web>>, uri: Uri) -> Response {
    let token = token(&uri);
    match find_by_confirmation_link(&web.app, &token).await {
        Ok(subscription) => confirm_page(&web, &subscription),
        Err(error) => failed(&web, error),
    }
}

fn confirm_page(web: &Web, subscription: &Subscription) -> Response {
    let version = web.settings.version;
    match subscription.state {
        SubscriptionState::Confirmed | SubscriptionState::Suspended => {
            let text = "Nothing more is needed: new orders are announced to this address.";
            page(StatusCode::OK, &MessagePage { version, title: "Already confirmed", text, good: true })
        }
        // The link of an ended one does not work: it does not come here.
        SubscriptionState::Pending | SubscriptionState::Ended => {
            let ask = AskPage {
                version,
                title: "Confirm your subscription",
                text: "New orders will be announced to this address. If you did not ask for it, close this page.",
                endpoint: &subscription.endpoint.masked(),
                button: "Confirm",
                ends: false,
            };
            page(StatusCode::OK, &ask)
        }
    }
}

/// Confirms.
async fn confirm_by_link(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let result = confirm(&web.app, &token(&uri)).await.map_err(Problem::from);
    done(&web, &headers, "Subscription confirmed", result)
}

/// Asks whether to unsubscribe. This changes nothing.
async fn ask_to_unsubscribe(State(web): State<Arc<Web>>, uri: Uri) -> Response {
    let token = token(&uri);
    match find_by_unsubscribe_link(&web.app, &token).await {
        Ok(subscription) => unsubscribe_page(&web, &subscription),
        Err(error) => failed(&web, error),
    }
}

fn unsubscribe_page(web: &Web, subscription: &Subscription) -> Response {
    let version = web.settings.version;
    if subscription.state == SubscriptionState::Ended {
        let text = "This subscription has ended: no more orders are announced to this address.";
        return page(
            StatusCode::OK,
            &MessagePage { version, title: "Already unsubscribed", text, good: true },
        );
    }
    let ask = AskPage {
        version,
        title: "Unsubscribe",
        text: "No more orders will be announced to this address.",
        endpoint: &subscription.endpoint.masked(),
        button: "Unsubscribe",
        ends: true,
    };
    page(StatusCode::OK, &ask)
}

/// Ends the subscription; doing so again changes nothing.
async fn unsubscribe_by_link(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let result = unsubscribe(&web.app, &token(&uri)).await.map_err(Problem::from);
    done(&web, &headers, "Unsubscribed", result)
}

/// The token in a link; empty, and so not valid, if there is none.
/// Other parameters are ignored: mail services and trackers add theirs.
fn token(uri: &Uri) -> String {
    token_in_query(uri.query().unwrap_or_default())
}

/// What a link's POST answers: JSON for a program that prefers it, a page for everyone else.
fn done(web: &Web, headers: &HeaderMap, message: &str, result: Result<Subscription, Problem>) -> Response {
    let json = prefers_json(headers);
    match result {
        Ok(subscription) if json => {
            let (subscription_id, state) = (subscription.id, subscription.state.name());
            json_response(StatusCode::OK, &DoneJson { message, subscription_id, state })
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
fn failed(web: &Web, error: Error) -> Response {
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
