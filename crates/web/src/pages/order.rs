//! `/o/{token}`: the order that a message told of, as far as its subscription is shown it. It is only read: whatever fetches
//! the link, nothing changes.

mod words;

use std::sync::Arc;

use application::orders::{LinkedOrder, linked};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::language::times;
use domain::notification::{self, FactKind, MAX_SUBJECT, Parts, on_one_line};
use domain::order::ShortReference;
use domain::shop::Shop;
use http::header::{HeaderName, REFERRER_POLICY};
use http::{HeaderValue, StatusCode, Uri};

use self::words::Words;
use super::words::FrameWords;
use super::{dead_link, page};
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
}

/// The order, all of it.
pub(super) async fn show(State(web): State<Arc<Web>>, uri: Uri) -> Response {
    let token = uri.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let response = match linked(&web.app, token).await {
        Ok(found) => order_page(&web, &found),
        Err(error) => cannot_be_shown(&web, &error.into()),
    };
    // Its address is what opens it: nobody is told, not even our own site.
    told_to_nobody(response)
}

fn told_to_nobody(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex"));
    response
}

fn order_page(web: &Web, found: &LinkedOrder) -> Response {
    let reader = found.reader(&web.app);
    let parts = Parts::of(&found.order, &reader);
    let reference = ShortReference::of(found.order.id);
    let heading = parts.product.as_deref().map(|product| on_one_line(product, MAX_SUBJECT));
    let template = OrderPage {
        version: web.settings.version,
        shop: &web.app.shop,
        frame: FrameWords::of(reader.language),
        words: notification::Words::of(reader.language),
        said: Words::of(reader.language),
        heading: heading.unwrap_or_else(|| reference.to_string()),
        reference,
        accepted: times::moment_in(reader.language, &reader.time_zone, found.order.time),
        parts: &parts,
    };
    page(StatusCode::OK, &template)
}

/// Says why, and nothing of the order.
fn cannot_be_shown(web: &Web, problem: &Problem) -> Response {
    let words = Words::of(web.app.shop.language);
    let (status, said) = match problem.code {
        "invalid_token" => (StatusCode::NOT_FOUND, Some(words.invalid)),
        "link_expired" => (StatusCode::GONE, Some(words.expired)),
        "subscription_ended" => (StatusCode::GONE, Some(words.ended)),
        "order_not_found" => (StatusCode::NOT_FOUND, Some(words.not_here)),
        "order_not_shown" => (StatusCode::SERVICE_UNAVAILABLE, Some(words.not_shown)),
        _ => (problem.status, None),
    };
    dead_link(web, problem, status, said)
}
