//! `/o/{token}`: the order that a message told of, as far as its subscription is shown it, and whether a person has
//! acknowledged it.
//!
//! Whatever fetches the link changes nothing, nor does what submits the form as it finds it: mail scanners do both, and some run
//! scripts. A person ticks a box that is not ticked.

mod words;

use std::sync::Arc;

use application::orders::{LinkedOrder, change_status_by_link, linked};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::language::times;
use domain::notification::{self, FactKind, MAX_SUBJECT, Parts, on_one_line};
use domain::order::{OrderStatus, ShortReference, Way, who};
use domain::reader::Reader;
use domain::shop::Shop;
use domain::visible::with_overrides_shown;
use http::header::{HeaderName, REFERRER_POLICY};
use http::{HeaderValue, StatusCode, Uri};
use url::form_urlencoded;

use self::words::Words;
use super::words::FrameWords;
use super::{dead_link, page};
use crate::body::RawBody;
use crate::problem::Problem;
use crate::state::Web;

/// That no search engine keeps the page. Source: Google, "Robots meta tag, data-nosnippet, and X-Robots-Tag".
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage<'a> {
    version: &'a str,
    shop: &'a Shop,
    frame: &'static FrameWords,
    words: &'static notification::Words,
    said: &'static Words,
    /// What was ordered, in short.
    heading: String,
    reference: ShortReference,
    /// When it was accepted.
    accepted: String,
    parts: &'a Parts<'a>,
    /// Whether a person has acknowledged it, when and who, in words; what is to be ticked for the other; the button.
    acknowledged: Option<String>,
    tick: &'static str,
    button: &'static str,
    /// What the button makes of it.
    status: OrderStatus,
}

/// The order, all of it.
pub(super) async fn show(State(web): State<Arc<Web>>, uri: Uri) -> Response {
    let response = match linked(&web.app, token(&uri)).await {
        Ok(found) => order_page(&web, &found),
        Err(error) => cannot_be_shown(&web, &error.into()),
    };
    // Its address is what opens it: nobody is told more of it than the host, not even our own site, in a proxy's log.
    told_to_nobody(response)
}

/// Acknowledges the order, or takes that back, and shows it as it is then. What cannot be done is not: the page says what the
/// order is.
pub(super) async fn change(State(web): State<Arc<Web>>, uri: Uri, RawBody(form): RawBody) -> Response {
    let (token, has_slash) = (token(&uri), uri.path().ends_with('/'));
    let field = |name: &str| {
        let mut fields = form_urlencoded::parse(&form).filter(|(known, _)| known == name);
        fields.next().map(|(_, value)| value.into_owned())
    };
    let status = field("status").as_deref().and_then(OrderStatus::of_name);
    // What is no name is none: an order is acknowledged by whoever it is.
    let name = field("by").and_then(|name| who(&name).ok());
    if let Some(status) = status.filter(|_| field("sure").as_deref() == Some("yes"))
        && let Err(error) = change_status_by_link(&web.app, token, status, name).await
        && error.code != "status_conflict"
    {
        return told_to_nobody(cannot_be_shown(&web, &error.into()));
    }
    // Relative, whatever path a proxy puts before ours.
    let place = if has_slash { format!("../{token}") } else { token.to_owned() };
    told_to_nobody(Redirect::to(&place).into_response())
}

/// The last part of the path, before any slash.
fn token(uri: &Uri) -> &str {
    uri.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

fn told_to_nobody(mut response: Response) -> Response {
    let headers = response.headers_mut();
    // With none at all, browsers post its form from the origin `null`, which could be anyone's.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex"));
    response
}

fn order_page(web: &Web, found: &LinkedOrder) -> Response {
    let reader = found.reader(&web.app);
    let parts = Parts::of(&found.order, &reader);
    let reference = ShortReference::of(found.order.id);
    let heading = parts.product.as_deref().map(|product| on_one_line(product, MAX_SUBJECT));
    let said = Words::of(reader.language);
    let is_new = found.change.as_ref().is_none_or(|change| change.status == OrderStatus::New);
    let ((tick, button), status) = if is_new {
        (said.acknowledge, OrderStatus::Acknowledged)
    } else {
        (said.take_back, OrderStatus::New)
    };
    let template = OrderPage {
        version: web.settings.version,
        shop: &web.app.shop,
        frame: FrameWords::of(reader.language),
        words: notification::Words::of(reader.language),
        said,
        heading: heading.unwrap_or_else(|| reference.to_string()),
        reference,
        accepted: times::moment_in(reader.language, &reader.time_zone, found.order.time),
        parts: &parts,
        acknowledged: acknowledged(found, &reader),
        tick,
        button,
        status,
    };
    page(StatusCode::OK, &template)
}

/// When a person acknowledged it, and who, in the reader's words.
fn acknowledged(found: &LinkedOrder, reader: &Reader) -> Option<String> {
    let change = found.change.as_ref().filter(|change| change.status == OrderStatus::Acknowledged)?;
    let Words { acknowledged, by, by_link_to, .. } = Words::of(reader.language);
    let at = times::moment_in(reader.language, &reader.time_zone, change.at);
    let by = match (&change.who, &change.way) {
        (Some(who), _) => format!(" {by} {}", with_overrides_shown(who)),
        (None, Way::Link { to }) => format!(" {by_link_to} {to}"),
        (None, Way::Operator) => String::new(),
    };
    Some(format!("{acknowledged} {at}{by}"))
}

/// Says why, and nothing of the order.
fn cannot_be_shown(web: &Web, problem: &Problem) -> Response {
    let words = Words::of(web.app.shop.language);
    let (status, said) = match problem.code {
        "invalid_token" => (StatusCode::NOT_FOUND, Some(words.invalid)),
        "link_expired" => (StatusCode::GONE, Some(words.expired)),
        "subscription_ended" => (StatusCode::GONE, Some(words.ended)),
        "order_over" => (StatusCode::GONE, Some(words.over)),
        "order_not_found" => (StatusCode::NOT_FOUND, Some(words.not_here)),
        "order_not_shown" => (StatusCode::SERVICE_UNAVAILABLE, Some(words.not_shown)),
        _ => (problem.status, None),
    };
    dead_link(web, problem, status, said)
}
