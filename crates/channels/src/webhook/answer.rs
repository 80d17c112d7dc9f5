//! What a receiver's answer means.

use application::ports::{Content, Sent};
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use reqwest::StatusCode;
use serde::Deserialize;

use super::retry_after::retry_after;

/// A receiver's answer, as much of it as was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<String>,
    pub(super) body: Vec<u8>,
}

/// A receiver's yes. An echo of our question has no such member.
#[derive(Deserialize)]
struct Yes {
    confirmation: String,
}

impl Answer {
    /// What the attempt at `now` came to.
    pub(super) fn meaning(&self, content: &Content, now: Timestamp) -> Sent {
        let kind = self.kind(now);
        match content {
            Content::Confirmation { challenge, .. } if kind == OutcomeKind::Delivered => {
                self.to_challenge(challenge)
            }
            _ => Sent { outcome: Outcome::new(kind, self.reply()), confirmed: false },
        }
    }

    /// Standard Webhooks: 2xx is success, 410 ends the subscription, all else is tried again; whoever asks for
    /// patience gets it without an attempt being spent.
    fn kind(&self, now: Timestamp) -> OutcomeKind {
        if self.status.is_success() {
            return OutcomeKind::Delivered;
        }
        let asked = self.retry_after.as_deref().and_then(|value| retry_after(value, now));
        match self.status {
            StatusCode::GONE => OutcomeKind::Permanent(Scope::Endpoint),
            StatusCode::TOO_MANY_REQUESTS => {
                OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked }
            }
            _ if asked.is_some() => OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked },
            _ => OutcomeKind::Transient(Scope::Endpoint),
        }
    }

    fn to_challenge(&self, challenge: &str) -> Sent {
        let confirmed =
            serde_json::from_slice::<Yes>(&self.body).is_ok_and(|yes| yes.confirmation == challenge);
        if confirmed {
            return Sent { outcome: Outcome::new(OutcomeKind::Delivered, self.reply()), confirmed };
        }
        let reply =
            format!("answered {} but did not repeat the challenge in `confirmation`", self.status.as_u16());
        Sent { outcome: Outcome::new(OutcomeKind::Transient(Scope::Endpoint), reply), confirmed }
    }

    /// The status, and the beginning of what was said.
    fn reply(&self) -> String {
        let hint = if self.status.is_redirection() { " (redirects are not followed)" } else { "" };
        format!("{}{hint} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}
