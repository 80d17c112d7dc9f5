//! What an incoming webhook's response means.
//!
//! Source: Slack, "Sending messages using incoming webhooks" (handling errors) and the changelog "Improving error
//! conditions for incoming webhooks". The body is one word; a word stands before the status.

use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use reqwest::StatusCode;
use serde_json::Value;

use crate::http::HttpResponse;

/// The webhook, its workspace or its channel is no more, or the URL was never one.
const GONE_WORDS: [&str; 6] =
    ["no_service", "no_service_id", "no_team", "invalid_token", "channel_not_found", "channel_is_archived"];
/// What we posted is not understood, and will not be.
const INVALID_PAYLOAD_WORDS: [&str; 6] = [
    "invalid_payload",
    "no_text",
    "invalid_blocks",
    "invalid_blocks_format",
    "too_many_attachments",
    "missing_text_or_fallback_or_attachments",
];

/// Where Slack's own webhooks are.
pub(super) const SLACK: &str = "hooks.slack.com";
/// What those answer on success that take Slack's form: Slack, Mattermost and Discord (`/slack`) `ok`, Microsoft's
/// connectors `1`.
const SUCCESS_WORDS: [&str; 2] = ["ok", "1"];
/// How Microsoft's connectors say that they were called too often: with status 200.
const TEAMS_THROTTLED: &str = "returned HTTP error 429";

/// Classifies the response to a post at `now`. Whoever answers 200 without a chat's word is none: a captive portal, a
/// proxy's page, a chat that refuses in words. Nothing was posted there, and it is tried again.
pub(super) fn classify_response(response: &HttpResponse, is_slack: bool, now: Timestamp) -> Outcome {
    if !response.status.is_success() {
        return Outcome::new(refusal(response, now), response.reply());
    }
    let word = str::from_utf8(&response.body).unwrap_or_default().trim();
    if is_success_word(word, is_slack) {
        Outcome::new(OutcomeKind::Delivered, response.reply())
    } else if response.incomplete && !is_page(word) {
        Outcome::new(OutcomeKind::Unknown, format!("its answer broke off: {}", response.reply()))
    } else if word.contains(TEAMS_THROTTLED) {
        let kind = OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: response.retry_after(now) };
        Outcome::new(kind, response.reply())
    } else {
        let reply = format!("answered as no chat does: {}", response.reply());
        Outcome::new(OutcomeKind::Transient(Scope::Endpoint), reply)
    }
}

/// Slack says `ok` and nothing else. Of the others some say nothing (Microsoft's workflows, Discord), and some a JSON
/// object: Google Chat the message that it made, Rocket.Chat and Zulip whether it went well.
fn is_success_word(word: &str, is_slack: bool) -> bool {
    if is_slack {
        return word == "ok";
    }
    if word.is_empty() || SUCCESS_WORDS.iter().any(|taken| word.eq_ignore_ascii_case(taken)) {
        return true;
    }
    let Ok(Value::Object(said)) = serde_json::from_str(word) else { return false };
    let says = |name: &str, value: Value| said.get(name) == Some(&value);
    let refused = said.get("error").is_some_and(|error| !error.is_null())
        || says("ok", false.into())
        || says("success", false.into())
        || says("result", "error".into())
        // A captive portal's own word (RFC 8908).
        || says("captive", true.into());
    !refused
}

fn is_page(word: &str) -> bool {
    word.starts_with('<')
}

/// Why a post was refused. What an administrator of the chat can undo (`action_prohibited`,
/// `posting_to_general_channel_denied`, `no_active_hooks`, `team_disabled`) is tried again, as is what is not Slack's word.
fn refusal(response: &HttpResponse, now: Timestamp) -> OutcomeKind {
    let word = str::from_utf8(&response.body).unwrap_or_default().trim();
    let asked = response.retry_after(now);
    match response.status {
        StatusCode::GONE => OutcomeKind::Permanent(Scope::Endpoint),
        StatusCode::TOO_MANY_REQUESTS => {
            OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked }
        }
        _ if asked.is_some() => OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked },
        status if status.is_client_error() && GONE_WORDS.contains(&word) => {
            OutcomeKind::Permanent(Scope::Endpoint)
        }
        status if status.is_client_error() && INVALID_PAYLOAD_WORDS.contains(&word) => {
            OutcomeKind::Permanent(Scope::Delivery)
        }
        _ => OutcomeKind::Transient(Scope::Endpoint),
    }
}

#[cfg(test)]
mod tests {
    use domain::attempt::MAX_REPLY;

    use super::*;
    use crate::fuzz::{self, fuzz};

    /// Whatever is answered, nothing panics, Slack's own word alone is success there, a page is none anywhere, and what is
    /// kept is bounded.
    #[test]
    fn fuzzed_answers_are_delivered_by_a_chats_word_alone() {
        let seeds: [&[u8]; 14] = [
            b"ok",
            b"1",
            b"no_service",
            b"invalid_payload",
            b"channel_is_archived",
            b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
            br#"{"name":"spaces/A/messages/B","text":"x"}"#,
            br#"{"success":true}"#,
            br#"{"ok":false,"error":"not_in_channel"}"#,
            br#"{"result":"error","msg":"Stream does not exist","error":null}"#,
            br#"{"captive":true,"user-portal-url":"https://portal.example"}"#,
            b"<!DOCTYPE html><title>Log in</title>",
            &[b'['; 300],
            b"Wed, 04 Mar 2026 12:00:30 GMT",
        ];
        fuzz("chats' answers", &seeds, |bytes, chance| {
            let response = fuzz::response(200, bytes, chance);
            let said = str::from_utf8(&response.body).unwrap_or_default().trim();
            let (success, incomplete) = (response.status.is_success(), response.incomplete);
            let slack = classify_response(&response, true, Timestamp::UNIX_EPOCH);
            assert_eq!(slack.kind == OutcomeKind::Delivered, success && said == "ok", "{slack:?}");
            let other = classify_response(&response, false, Timestamp::UNIX_EPOCH);
            let delivered = other.kind == OutcomeKind::Delivered;
            assert!(!delivered || (success && !said.starts_with('<')), "{other:?}");
            for outcome in [slack, other] {
                assert!(outcome.kind != OutcomeKind::Unknown || (success && incomplete), "{outcome:?}");
                assert!(!success || !matches!(outcome.kind, OutcomeKind::Permanent(_)), "{outcome:?}");
                assert!(outcome.reply.chars().count() <= MAX_REPLY && !outcome.reply.contains(['\r', '\n']));
            }
        });
    }
}
