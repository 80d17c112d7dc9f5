//! What is posted to a chat: Slack's text and blocks, and its markup, mrkdwn: words that mean only themselves, and links.
//!
//! Source: Slack, "Blocks" and "Composition objects" in the Block Kit reference, `chat.postMessage` for the text, "Formatting
//! message text" (escaping text, linking to URLs) for the markup.

use application::ports::Content;
use serde::Serialize;
use serde_json::{Value, json};

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

/// `text` with the three characters that are markup escaped, in at most `limit` UTF-16 units; what does not fit is cut
/// between two characters and an ellipsis stands there.
fn words(text: &str, limit: usize) -> String {
    let whole: usize = text.chars().map(units).sum();
    let room = if whole <= limit { limit } else { limit.saturating_sub(1) };
    let mut said = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += units(c);
        if used > room {
            said.push('…');
            break;
        }
        push(&mut said, c);
    }
    said
}

/// A link to `url` under the name `name`, which is ours.
fn link(url: &str, name: &str) -> String {
    // A bar would end the URL.
    format!("<{}|{name}>", words(url, usize::MAX).replace('|', "%7C"))
}

fn push(said: &mut String, c: char) {
    match escape(c) {
        Some(escape) => said.push_str(escape),
        None => said.push(c),
    }
}

fn units(c: char) -> usize {
    escape(c).map_or(c.len_utf16(), str::len)
}

fn escape(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_be_markup_is_escaped() {
        assert_eq!(words("<!channel> & <https://x|y>", 100), "&lt;!channel&gt; &amp; &lt;https://x|y&gt;");
    }

    #[test]
    fn what_is_too_long_is_cut_between_two_characters() {
        assert_eq!(words("abcd", 4), "abcd");
        assert_eq!(words("abcde", 4), "abc…");
        assert_eq!(words("a&b", 5), "a…", "an escape is not cut in two");
        assert_eq!(words("a&b", 7), "a&amp;b");
        assert_eq!(words("📦📦", 3), "📦…");
    }

    #[test]
    fn a_link_keeps_its_url() {
        assert_eq!(link("https://x/?a=1&b=2", "Open"), "<https://x/?a=1&amp;b=2|Open>");
        assert_eq!(link("https://x/|y>", "Open"), "<https://x/%7Cy&gt;|Open>");
    }

    proptest! {
        #[test]
        fn words_hold_no_markup_and_no_more_than_their_limit(text in ".{0,60}", limit in 1_usize..80) {
            let said = words(&text, limit);
            prop_assert!(!said.contains(['<', '>']));
            prop_assert!(said.encode_utf16().count() <= limit);
            for (at, _) in said.match_indices('&') {
                let escaped = ["&amp;", "&lt;", "&gt;"].iter().any(|escape| said[at..].starts_with(escape));
                prop_assert!(escaped, "{said}");
            }
        }
    }
}
