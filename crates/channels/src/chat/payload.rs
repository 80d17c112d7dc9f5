//! What is posted to a chat: Slack's text and blocks.
//!
//! Source: Slack, "Blocks" and "Composition objects" in the Block Kit reference, `chat.postMessage` for the text.

use application::ports::Content;
use serde::Serialize;
use serde_json::{Value, json};

use super::mrkdwn::{link, words};

/// The longest text of a message in characters, which stands where blocks are not shown.
const MAX_TEXT: usize = 40_000;
/// The longest text of a section.
const MAX_SECTION: usize = 3_000;
/// The longest header.
const MAX_HEADER: usize = 150;

/// A post.
#[derive(Debug, Serialize)]
pub(super) struct Payload {
    text: String,
    blocks: Vec<Value>,
    /// Nobody needs a preview of the page behind our link.
    unfurl_links: bool,
}

/// The post that says `content`: its subject, its text, and its link where it has one.
pub(super) fn payload(content: &Content) -> Payload {
    let text = content.text();
    let header = words(content.subject(), MAX_HEADER);
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": header, "emoji": false}}),
        json!({"type": "section", "text": mrkdwn(&words(&text, MAX_SECTION))}),
    ];
    blocks.extend(linked(content));
    Payload { text: words(&text, MAX_TEXT), blocks, unfurl_links: false }
}

/// A link rather than a button: Slack asks the app behind a button to answer for every press, which a webhook cannot.
fn linked(content: &Content) -> Option<Value> {
    match content {
        Content::Notification { unsubscribe_url, .. } => {
            let link = link(unsubscribe_url, "Unsubscribe this chat");
            Some(json!({"type": "context", "elements": [mrkdwn(&link)]}))
        }
        Content::Confirmation { confirm_url, .. } => {
            let link = link(confirm_url, "Confirm the subscription");
            Some(json!({"type": "section", "text": mrkdwn(&format!("*{link}*"))}))
        }
        Content::Notice { .. } | Content::Test => None,
    }
}

/// Verbatim: no word in it becomes a link or a mention by itself.
fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}
