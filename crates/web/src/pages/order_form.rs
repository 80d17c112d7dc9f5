//! `/`: the order form.

mod words;

use std::sync::Arc;

use application::ChannelMode;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::endpoint::Protocol;
use domain::language::numbers;
use domain::order::limits;
use domain::shop::Shop;
use http::{HeaderMap, StatusCode};
use words::Words;

use super::accepted_language::accepted_language;
use super::page;
use super::words::FrameWords;
use crate::keys::OrderAuth;
use crate::state::Web;

/// The longest note that the form takes, in characters.
const MAX_NOTE: usize = 2_000;

#[derive(Template)]
#[template(path = "order_form.html")]
struct OrderForm<'a> {
    version: &'a str,
    shop: &'a Shop,
    frame: &'static FrameWords,
    words: &'static Words,
    /// Placing an order needs a key.
    needs_key: bool,
    /// The protocols whose messages stay on this machine, in words; empty if there are none.
    sandboxed: String,
    max_name: usize,
    max_quantity: u32,
    /// The same, as the language writes it.
    most: String,
    max_note: usize,
}

/// The form, in a language that its reader's browser asks for; its script posts to `/create-order`.
pub(super) async fn show(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let language = accepted_language(&headers, web.app.shop.language);
    let words = Words::of(language);
    let form = OrderForm {
        version: web.settings.version,
        shop: &web.app.shop,
        frame: FrameWords::of(language),
        words,
        needs_key: matches!(web.settings.order_auth, OrderAuth::Keys(_)),
        sandboxed: sandboxed(&web, words.and),
        max_name: limits::NAME,
        max_quantity: limits::QUANTITY,
        most: numbers::whole(language, limits::QUANTITY.into()),
        max_note: MAX_NOTE,
    };
    page(StatusCode::OK, &form)
}

fn sandboxed(web: &Web, and: &str) -> String {
    let Some(own) = &web.app.local_delivery else { return String::new() };
    let kept = |protocol: &Protocol| own.channels.get(protocol) == Some(&ChannelMode::Sandbox);
    let names: Vec<_> = Protocol::ALL.into_iter().filter(kept).map(Protocol::name).collect();
    names.join(&format!(" {and} "))
}
