//! What a webhook's receiver is sent.

use application::ports::Content;
use domain::Timestamp;
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

/// The JSON of a message sent at `at`.
pub(super) fn body(content: &Content, at: Timestamp) -> serde_json::Result<Vec<u8>> {
    match content {
        Content::Notification { order, .. } => serde_json::to_vec(&domain::notification::event(order)),
        Content::Confirmation { confirm_url, challenge, expires_at } => serde_json::to_vec(&Confirmation {
            r#type: "subscription.confirmation",
            timestamp: at,
            challenge,
            confirm_url,
            expires_at: *expires_at,
        }),
        Content::Notice { notice, about_url } => serde_json::to_vec(&Notice {
            r#type: "operator.notice",
            timestamp: at,
            subject: content.subject(),
            message: notice.text(),
            about_url,
            data: notice,
        }),
        Content::Test => serde_json::to_vec(&Test {
            r#type: "subscription.test",
            timestamp: at,
            subject: content.subject(),
            message: content.text(),
        }),
    }
}
