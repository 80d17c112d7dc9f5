//! What a webhook's receiver is sent.

use application::ports::{Content, Message};
use domain::Timestamp;
use domain::language::Language;
use domain::notification::{Event, event};
use serde::Serialize;

/// The confirmation request. To say yes it answers 2xx and
/// `{"confirmation": <challenge>}`; or a person opens `confirmUrl`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Confirmation<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    challenge: &'a str,
    confirm_url: &'a str,
    expires_at: Timestamp,
}

/// What an operator should know.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notice<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    subject: &'static str,
    message: String,
    about_url: &'a str,
    data: &'a domain::notice::Notice,
}

/// A trial.
#[derive(Serialize)]
struct Test {
    r#type: &'static str,
    timestamp: Timestamp,
    subject: &'static str,
    message: String,
}

/// The JSON of a message. Its subject and its members are in the recipe's words; what people read is in its reader's.
pub(super) fn body(message: &Message) -> serde_json::Result<Vec<u8>> {
    let Message { content, reader, at, .. } = message;
    let at = *at;
    match content {
        Content::Notification { order, order_url, .. } => serde_json::to_vec(&Event {
            order_url: order_url.as_deref(),
            ..event(order, content.text(reader))
        }),
        Content::Confirmation { confirm_url, challenge, expires_at, .. } => {
            serde_json::to_vec(&Confirmation {
                r#type: "subscription.confirmation",
                timestamp: at,
                challenge,
                confirm_url,
                expires_at: *expires_at,
            })
        }
        Content::Notice { notice, about_url } => serde_json::to_vec(&Notice {
            r#type: "operator.notice",
            timestamp: at,
            subject: content.subject(Language::En),
            message: notice.text(),
            about_url,
            data: notice,
        }),
        Content::Test => serde_json::to_vec(&Test {
            r#type: "subscription.test",
            timestamp: at,
            subject: content.subject(Language::En),
            message: content.text(reader),
        }),
    }
}
