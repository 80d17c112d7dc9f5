//! What people see in a browser: one file per page, templates in `templates/`; the style, scripts and icon in `assets/`
//! are inside the program.

mod accepted_language;
mod docs;
mod order;
mod order_form;
pub(crate) mod subscriber_links;
mod words;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::language::Language;
use domain::shop::Shop;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode, Uri};

use words::{FrameWords, Said};

use crate::problem::{self, Problem};
use crate::state::{Routes, Web};

/// Everything comes from here, nothing is inline, and nobody frames a page whose button does something.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const ICON: &str = "image/svg+xml";
/// How long browsers keep those: an hour. Pages ask for them with the program's version.
const KEPT: &str = "public, max-age=3600";

pub(crate) fn routes() -> Routes {
    vec![
        ("/", get(order_form::show)),
        ("/docs", get(docs::show)),
        ("/o/{token}", get(order::show).post(order::change)),
        // As carriers and people write it, and as a link is cut that breaks there.
        ("/o/{token}/", get(order::show).post(order::change)),
        ("/o/", get(order::show)),
        ("/assets/{file}", get(asset)),
    ]
}

/// A page's answer. No page is kept and no page tells the next site its address, which can hold a link's token. Its own
/// site may know: a page that tells nobody posts its buttons from the origin `null`, which could be anyone's.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    ];
    (status, headers, html).into_response()
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct MessagePage<'a> {
    pub(crate) version: &'a str,
    /// Whose page it is.
    pub(crate) shop: &'a Shop,
    pub(crate) frame: &'static FrameWords,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    /// Whether what it says is good news.
    pub(crate) good: bool,
}

/// A failure, for the operator: in English, as the console is.
pub(crate) fn failure_page(version: &str, problem: &Problem) -> Response {
    let title = match problem.status {
        StatusCode::GONE => "This link is no longer valid",
        StatusCode::BAD_REQUEST => "This link is not valid",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_IMPLEMENTED => "Not served here",
        _ => "Something went wrong",
    };
    page(
        problem.status,
        &MessagePage {
            version,
            shop: &Shop::default(),
            frame: FrameWords::of(Language::En),
            title,
            text: &problem.detail,
            good: false,
        },
    )
}

/// Why a link shows nothing, in the shop's language: nobody knows whose link it was. Where `said` is nothing, the failure is
/// the program's own.
fn dead_link(web: &Web, problem: &Problem, status: StatusCode, said: Option<Said>) -> Response {
    let shop = &*web.app.shop;
    let (version, frame) = (web.settings.version, FrameWords::of(shop.language));
    let (title, text) = said.unwrap_or_else(|| frame.failure(status));
    let mut response = page(status, &MessagePage { version, shop, frame, title, text, good: false });
    if let Some(delay) = problem.retry_after {
        response.headers_mut().insert(RETRY_AFTER, problem::seconds(delay));
    }
    response
}

/// A range of a header such as `Accept`, and how much it is wanted.
fn weighted(range: &str) -> (&str, f32) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q="));
    (name, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

/// The pages' style, one of their scripts, their icon, or the shop's color and logo.
async fn asset(State(web): State<Arc<Web>>, uri: Uri) -> Result<Response, Problem> {
    let (kind, content) = match uri.path() {
        "/assets/logo" => {
            let logo = web.app.shop.logo.as_ref().ok_or_else(problem::not_found)?;
            let headers = [(CONTENT_TYPE, logo.content_type()), (CACHE_CONTROL, KEPT)];
            return Ok((headers, logo.bytes().to_vec()).into_response());
        }
        "/assets/style.css" => (STYLE, include_str!("../assets/style.css")),
        "/assets/shop.css" => {
            let color = web.app.shop.color;
            let rule = format!("main button:not(.plain, .danger) {{ background: {color}; color: #fff; }}\n");
            return Ok(([(CONTENT_TYPE, STYLE), (CACHE_CONTROL, "no-cache")], rule).into_response());
        }
        "/assets/order-form.js" => (SCRIPT, include_str!("../assets/order-form.js")),
        "/assets/login.js" => (SCRIPT, include_str!("../assets/login.js")),
        "/assets/icon.svg" => (ICON, include_str!("../assets/icon.svg")),
        _ => return Err(problem::not_found()),
    };
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, KEPT)];
    Ok((headers, content).into_response())
}
