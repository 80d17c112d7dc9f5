//! `/subscriptions/confirm` and `/subscriptions/unsubscribe`, the pages behind a message's links: the GET asks, only the
//! POST acts. Mail scanners fetch links.
//!
//! The POST that unsubscribes is also what a mail program sends for `List-Unsubscribe=One-Click` (RFC 8058): it needs no
//! cookie and no body, and it is answered without a redirect.

mod words;

use std::sync::Arc;

use application::Error;
use application::subscriptions::{confirm, find_by_confirmation_link, find_by_unsubscribe_link, unsubscribe};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::language::Language;
use domain::link_token::token_in_query;
use domain::shop::Shop;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;

use words::Words;

use super::words::{FrameWords, Said};
use super::{MessagePage, dead_link, page, weighted};
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
    shop: &'a Shop,
    frame: &'static FrameWords,
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
    let language = language(web, subscription);
    let words = Words::of(language);
    match subscription.state {
        SubscriptionState::Confirmed | SubscriptionState::Suspended => {
            done_already(web, language, words.confirmed_already)
        }
        // The link of an ended one does not work: it does not come here.
        SubscriptionState::Pending | SubscriptionState::Ended => {
            let (title, text) = words.ask_to_confirm;
            let ask = AskPage {
                version: web.settings.version,
                shop: &web.app.shop,
                frame: FrameWords::of(language),
                title,
                text,
                endpoint: &subscription.endpoint.masked(),
                button: words.confirm,
                ends: false,
            };
            page(StatusCode::OK, &ask)
        }
    }
}

/// The language of whoever has the link: the subscription's, else the shop's.
fn language(web: &Web, subscription: &Subscription) -> Language {
    subscription.attributes.language.unwrap_or(web.app.shop.language)
}

/// Says that nothing is left to do.
fn done_already(web: &Web, language: Language, (title, text): Said) -> Response {
    let (version, frame) = (web.settings.version, FrameWords::of(language));
    page(StatusCode::OK, &MessagePage { version, shop: &web.app.shop, frame, title, text, good: true })
}

/// Confirms.
async fn confirm_by_link(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let result = confirm(&web.app, &token(&uri)).await.map_err(Problem::from);
    done(&web, &headers, |words| words.confirmed, result)
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
    let language = language(web, subscription);
    let words = Words::of(language);
    if subscription.state == SubscriptionState::Ended {
        return done_already(web, language, words.unsubscribed_already);
    }
    let (title, text) = words.ask_to_unsubscribe;
    let ask = AskPage {
        version: web.settings.version,
        shop: &web.app.shop,
        frame: FrameWords::of(language),
        title,
        text,
        endpoint: &subscription.endpoint.masked(),
        button: words.unsubscribe,
        ends: true,
    };
    page(StatusCode::OK, &ask)
}

/// Ends the subscription; doing so again changes nothing.
async fn unsubscribe_by_link(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let result = unsubscribe(&web.app, &token(&uri)).await.map_err(Problem::from);
    done(&web, &headers, |words| words.unsubscribed, result)
}

/// The token in a link; empty, and so not valid, if there is none.
/// Other parameters are ignored: mail services and trackers add theirs.
fn token(uri: &Uri) -> String {
    token_in_query(uri.query().unwrap_or_default())
}

/// What a link's POST answers: JSON for a program that prefers it, a page for everyone else.
fn done(
    web: &Web,
    headers: &HeaderMap,
    what: fn(&'static Words) -> &'static str,
    result: Result<Subscription, Problem>,
) -> Response {
    let json = prefers_json(headers);
    match result {
        Ok(subscription) if json => {
            let message = what(Words::of(Language::En));
            let (subscription_id, state) = (subscription.id, subscription.state.name());
            json_response(StatusCode::OK, &DoneJson { message, subscription_id, state })
        }
        Ok(subscription) => {
            let text = format!("{} · {}", subscription.endpoint.protocol(), subscription.endpoint.masked());
            let language = language(web, &subscription);
            let (version, frame) = (web.settings.version, FrameWords::of(language));
            let title = what(Words::of(language));
            page(
                StatusCode::OK,
                &MessagePage { version, shop: &web.app.shop, frame, title, text: &text, good: true },
            )
        }
        Err(problem) if json => problem.into_response(),
        Err(problem) => failure_page(web, &problem),
    }
}

/// The use case's failure, for a page.
fn failed(web: &Web, error: Error) -> Response {
    failure_page(web, &error.into())
}

fn failure_page(web: &Web, problem: &Problem) -> Response {
    dead_link(web, problem, problem.status, Words::of(web.app.shop.language).of_problem(problem))
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
