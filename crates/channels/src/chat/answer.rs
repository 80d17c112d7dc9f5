//! What an incoming webhook's answer means.
//!
//! Source: Slack, "Sending messages using incoming webhooks" (handling errors) and the changelog "Improving error
//! conditions for incoming webhooks". The body is one word; a word stands before the status.

use domain::Timestamp;
use domain::attempt::{OutcomeKind, Scope};
use reqwest::StatusCode;

use crate::http::Answer;

/// The webhook, its workspace or its channel is no more, or the URL was never one.
const GONE: [&str; 6] =
    ["no_service", "no_service_id", "no_team", "invalid_token", "channel_not_found", "channel_is_archived"];
/// What we posted is not understood, and will not be.
const NOT_UNDERSTOOD: [&str; 6] = [
    "invalid_payload",
    "no_text",
    "invalid_blocks",
    "invalid_blocks_format",
    "too_many_attachments",
    "missing_text_or_fallback_or_attachments",
];

/// What came of a post at `now`. What an administrator of the chat can undo (`action_prohibited`,
/// `posting_to_general_channel_denied`, `no_active_hooks`, `team_disabled`) is tried again, as is what is not Slack's word.
pub(super) fn kind(answer: &Answer, now: Timestamp) -> OutcomeKind {
    let word = str::from_utf8(&answer.body).unwrap_or_default().trim();
    let asked = answer.patience(now);
    match answer.status {
        status if status.is_success() => OutcomeKind::Delivered,
        StatusCode::GONE => OutcomeKind::Permanent(Scope::Endpoint),
        StatusCode::TOO_MANY_REQUESTS => {
            OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked }
        }
        _ if asked.is_some() => OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked },
        status if status.is_client_error() && GONE.contains(&word) => OutcomeKind::Permanent(Scope::Endpoint),
        status if status.is_client_error() && NOT_UNDERSTOOD.contains(&word) => {
            OutcomeKind::Permanent(Scope::Delivery)
        }
        _ => OutcomeKind::Transient(Scope::Endpoint),
    }
}
