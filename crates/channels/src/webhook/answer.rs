//! What a receiver's answer means.

use application::ports::{Content, Sent};
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use reqwest::StatusCode;
use serde::Deserialize;

use crate::http::Answer;

/// A receiver's yes. An echo of our question has no such member.
#[derive(Deserialize)]
struct Yes {
    confirmation: String,
}

/// What the attempt at `now` came to.
pub(super) fn meaning(answer: &Answer, content: &Content, now: Timestamp) -> Sent {
    let kind = kind(answer, now);
    match content {
        Content::Confirmation { challenge, .. } if kind == OutcomeKind::Delivered => {
            to_challenge(answer, challenge)
        }
        _ => Outcome::new(kind, answer.reply()).into(),
    }
}

/// Standard Webhooks: 2xx is success, 410 ends the subscription, all else is tried again; whoever asks for patience
/// gets it without an attempt being spent.
fn kind(answer: &Answer, now: Timestamp) -> OutcomeKind {
    if answer.status.is_success() {
        return OutcomeKind::Delivered;
    }
    let asked = answer.patience(now);
    match answer.status {
        StatusCode::GONE => OutcomeKind::Permanent(Scope::Endpoint),
        StatusCode::TOO_MANY_REQUESTS => {
            OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked }
        }
        _ if asked.is_some() => OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked },
        _ => OutcomeKind::Transient(Scope::Endpoint),
    }
}

fn to_challenge(answer: &Answer, challenge: &str) -> Sent {
    let confirmed =
        serde_json::from_slice::<Yes>(&answer.body).is_ok_and(|yes| yes.confirmation == challenge);
    if confirmed {
        return Sent { outcome: Outcome::new(OutcomeKind::Delivered, answer.reply()), confirmed };
    }
    let reply =
        format!("answered {} but did not repeat the challenge in `confirmation`", answer.status.as_u16());
    Sent { outcome: Outcome::new(OutcomeKind::Transient(Scope::Endpoint), reply), confirmed }
}
