//! What is posted to a chat: Slack's text and blocks, and its markup, mrkdwn: words that mean only themselves, and links.
//!
//! Source: Slack, "Blocks" and "Composition objects" in the Block Kit reference, `chat.postMessage` for the text, "Formatting
//! message text" (escaping text, linking to URLs) for the markup; Discord, "Execute Webhook", for its limit.

use application::ports::{Content, Message};
use domain::language::Language;
use domain::notification;
use domain::order::Order;
use serde::Serialize;
use serde_json::{Value, json};

use super::order_blocks::order_blocks;
use super::words::Words;

/// The longest text of a message in UTF-16 units, which stands where blocks are not shown: as much as Slack advises, and less
/// than the others take (Rocket.Chat 5,000, Mattermost 16,383).
const MAX_TEXT: usize = 4_000;
/// The same for Discord, which refuses a longer one.
const MAX_DISCORD_TEXT: usize = 2_000;
/// Where Discord's webhooks are.
const DISCORD: [&str; 2] = ["discord.com", "discordapp.com"];
/// The longest text of a section.
pub(super) const MAX_SECTION: usize = 3_000;
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

/// The post that says a message to the webhook at `host`: its text where blocks are not shown, and its link where it has one.
pub(super) fn payload(message: &Message, host: Option<&str>) -> Payload {
    let Message { content, reader, .. } = message;
    let is_discord = |host: &str| {
        let under =
            |domain: &str| host.strip_suffix(domain).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'));
        DISCORD.into_iter().any(under)
    };
    let most = if host.is_some_and(is_discord) { MAX_DISCORD_TEXT } else { MAX_TEXT };
    let mut blocks = match content {
        Content::Notification { order, order_url, .. } => {
            let rest = where_the_rest_is(order, reader.language, order_url.as_deref());
            match content.written_text() {
                Some(text) => written_blocks(text, &rest),
                None => order_blocks(order, reader, &rest),
            }
        }
        Content::Confirmation { .. } | Content::Notice { .. } | Content::Test => vec![
            header(content.subject(reader.language)),
            json!({"type": "section", "text": mrkdwn(&words(&content.text(reader), MAX_SECTION))}),
        ],
    };
    blocks.extend(linked(content, reader.language));
    Payload { text: text(message, most), blocks, unfurl_links: false }
}

/// What a template says, and where the order is, if one section cannot say all of it.
fn written_blocks(text: &str, rest: &str) -> Vec<Value> {
    let said = json!({"type": "section", "text": plain(text, MAX_SECTION)});
    let is_cut = length(text) > MAX_SECTION;
    [said].into_iter().chain(is_cut.then(|| aside(rest))).collect()
}

/// The text in at most `most` units: an order's with the link to its page, and where it is cut, with where all of it is.
fn text(message: &Message, most: usize) -> String {
    let text = message.content.text(&message.reader);
    let Content::Notification { order, order_url, .. } = &message.content else { return words(&text, most) };
    let (text, language) = (inert(&text), message.reader.language);
    let page = order_url.as_deref().map(|url| format!("\n{}", to_order(url, language))).unwrap_or_default();
    let units = |ours: &str| ours.encode_utf16().count();
    if length(&text) + units(&page) <= most {
        return words(&text, most) + &page;
    }
    let rest = where_the_rest_is(order, language, order_url.as_deref());
    format!("{}\n{rest}", words(&text, most.saturating_sub(units(&rest) + 1)))
}

/// What follows where an order was cut, as markup.
fn where_the_rest_is(order: &Order, language: Language, order_url: Option<&str>) -> String {
    let where_it_is = match order_url {
        Some(url) => to_order(url, language),
        None => format!("orderbell order show {}", order.id),
    };
    format!("{} {where_it_is}", Words::of(language).longer)
}

fn to_order(url: &str, language: Language) -> String {
    link(url, notification::Words::of(language).see_order)
}

/// `text` with what would call people together or hide a link in other services' markup, which knows no escapes, broken by
/// a character without width: `@channel` and `[words](link)`. Addresses of mail stay as they are.
fn inert(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if (before, c) == (']', '(') {
            said.push('\u{200b}');
        }
        said.push(c);
        if c == '@' && (!before.is_alphanumeric() || is_everybody(&text[at + 1..])) {
            said.push('\u{200b}');
        }
        before = c;
    }
    said
}

/// Whether words begin with a name that calls many people together, even in the middle of a word.
fn is_everybody(words: &str) -> bool {
    let begin_with =
        |name: &str| words.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    ["everyone", "here", "channel", "all"].into_iter().any(begin_with)
}

/// A link rather than a button: Slack asks the app behind a button to answer for every press, which a webhook cannot.
fn linked(content: &Content, language: Language) -> Vec<Value> {
    let said = Words::of(language);
    let stressed = |link: String| json!({"type": "section", "text": mrkdwn(&format!("*{link}*"))});
    match content {
        Content::Notification { order_url, unsubscribe_url, .. } => {
            let page = order_url.as_deref().map(|url| stressed(to_order(url, language)));
            page.into_iter().chain([aside(&link(unsubscribe_url, said.unsubscribe))]).collect()
        }
        Content::Confirmation { confirm_url, .. } => vec![stressed(link(confirm_url, said.confirm))],
        Content::Notice { .. } | Content::Test => Vec::new(),
    }
}

pub(super) fn header(text: &str) -> Value {
    json!({"type": "header", "text": plain(text, MAX_HEADER)})
}

/// A line of ours in small letters.
pub(super) fn aside(markup: &str) -> Value {
    json!({"type": "context", "elements": [mrkdwn(markup)]})
}

/// Words in which nothing is markup, a link, a mention or an emoji's name.
pub(super) fn plain(text: &str, most: usize) -> Value {
    json!({"type": "plain_text", "text": words(text, most), "emoji": false})
}

/// Verbatim: no word in it becomes a link or a mention by itself.
pub(super) fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

/// `text` with the three characters that are markup escaped, in at most `limit` UTF-16 units; what does not fit is cut
/// between two characters and an ellipsis stands there.
pub(super) fn words(text: &str, limit: usize) -> String {
    let room = if length(text) <= limit { limit } else { limit.saturating_sub(1) };
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

/// How many units `text` has as [`words`].
pub(super) fn length(text: &str) -> usize {
    text.chars().map(units).sum()
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

    #[test]
    fn what_other_services_read_as_a_mention_or_a_hidden_link_is_broken() {
        assert_eq!(
            inert("@all [Pay](https://x) jo@example.com"),
            "@\u{200b}all [Pay]\u{200b}(https://x) jo@example.com"
        );
        assert_eq!(inert("a] (b) :@here <@1>"), "a] (b) :@\u{200b}here <@\u{200b}1>");
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
