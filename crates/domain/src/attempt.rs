//! One try at a delivery, and what came of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest text kept of a receiver's reply, in characters.
pub const MAX_REPLY: usize = 500;

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which kind of end it came to.
    pub kind: OutcomeKind,
    /// The receiver's own reply, or what failed, in words: one line, at most [`MAX_REPLY`] characters. It may repeat what
    /// was sent, or the secret address that it was sent to: timelines show it, the log never does.
    pub reply: String,
    /// The number that the other side answered with, such as HTTP's 404 or SMTP's 550: all of its answer that is logged.
    pub status: Option<u16>,
}

/// The kinds of end that an attempt can come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeKind {
    /// The receiver's side took it.
    Delivered,
    /// Kept in the sandbox inbox; nothing left the machine.
    Sandboxed,
    /// It failed, and may succeed later.
    Transient(Scope),
    /// It failed, and will never succeed as it is.
    Permanent(Scope),
    /// The receiver asked for a later time (429, Retry-After); no attempt is used, unless it asks again and again.
    Throttled {
        /// Who asked.
        scope: Scope,
        /// For how long, if the receiver said.
        retry_after: Option<Duration>,
    },
    /// It may have arrived or not.
    Unknown,
}

/// Whose failure an outcome is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// This delivery's alone.
    Delivery,
    /// This endpoint's.
    Endpoint,
    /// The whole channel's: its provider is down, refuses us, or cannot be reached; or this machine lacks what it takes.
    Channel,
    /// Nobody can tell yet: the provider refused and did not say whether the recipient, the message or we are the reason.
    /// Who hears of others, too, judges it; unjudged it counts as the delivery's.
    Unclear,
}

impl Outcome {
    /// An outcome whose reply is cut to [`MAX_REPLY`] characters on one line.
    #[must_use]
    pub fn new(kind: OutcomeKind, reply: impl AsRef<str>) -> Self {
        Self { kind, reply: one_line(reply.as_ref()), status: None }
    }

    /// The same, and before the reply what else is to be known of the attempt.
    #[must_use]
    pub fn with_remark(self, remark: &str) -> Self {
        Self { reply: one_line(&format!("{remark}; {}", self.reply)), ..self }
    }

    /// The same, with the number that the other side answered with.
    #[must_use]
    pub fn with_status(self, status: impl Into<u16>) -> Self {
        Self { status: Some(status.into()), ..self }
    }
}

/// A receiver's words as they are kept: one line of at most [`MAX_REPLY`] characters.
pub(crate) fn one_line(reply: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    reply.trim().chars().take(MAX_REPLY).map(shown).collect()
}

impl OutcomeKind {
    /// The names of all there are.
    pub const NAMES: [&str; 6] = ["delivered", "sandboxed", "transient", "permanent", "throttled", "unknown"];

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Sandboxed => "sandboxed",
            Self::Transient(_) => "transient",
            Self::Permanent(_) => "permanent",
            Self::Throttled { .. } => "throttled",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the channel's other side said something of the message: then the channel works.
    #[must_use]
    pub fn is_answer(self) -> bool {
        self != Self::Unknown && self.scope() != Some(Scope::Channel)
    }

    /// Whether it counts as a failure of its endpoint. A failing channel says nothing of an endpoint.
    #[must_use]
    pub fn is_endpoint_failure(self) -> bool {
        self.scope().is_some_and(|scope| scope != Scope::Channel)
    }

    /// Whose failure it is; `None` where nothing failed.
    #[must_use]
    pub fn scope(self) -> Option<Scope> {
        match self {
            Self::Delivered | Self::Sandboxed => None,
            Self::Transient(scope) | Self::Permanent(scope) | Self::Throttled { scope, .. } => Some(scope),
            Self::Unknown => Some(Scope::Delivery),
        }
    }
}

impl Scope {
    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Endpoint => "endpoint",
            Self::Channel => "channel",
            Self::Unclear => "unclear",
        }
    }
}
