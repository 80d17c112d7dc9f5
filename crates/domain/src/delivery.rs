//! One message to one subscription, and what follows from each attempt at it.

mod reasons;

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use reasons::{CancelReason, WaitReason, Waiting};

use crate::attempt::{Outcome, OutcomeKind, Scope};
use crate::endpoint::Protocol;
use crate::failure_streak::{MAX_PAUSE, pause_after};
pub use crate::id::DeliveryId;
use crate::retry::{Jitter, Schedule, jittered};
use crate::subscription::EndReason;

/// What a delivery carries. All kinds are made and retried alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryKind {
    /// An order, to a confirmed subscriber.
    Notification,
    /// The confirmation request: whether the endpoint's owner wants the subscription.
    Confirmation,
    /// What an operator should know.
    Notice,
    /// A trial that an operator asked for.
    Test,
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Owed; waits for its time.
    Pending,
    /// An attempt is recorded and has no outcome yet.
    InFlight,
    /// The receiver's side took it.
    Delivered,
    /// Kept in the sandbox inbox; nothing left the machine.
    Sandboxed,
    /// Its outcome is unknown and a repeat could cost: a person decides.
    Held,
    /// It ended without success; it can be redriven.
    Dead,
    /// Its subscription ended, its confirmation was replaced, or a person dropped it, before it was sent (again).
    Cancelled,
}

/// What follows from an attempt's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of the delivery.
    pub next: Next,
    /// Whether the attempt counts against the schedule.
    pub uses_attempt: bool,
    /// What follows for others.
    pub consequence: Option<Consequence>,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is over, in this state: delivered, sandboxed, held or dead.
    Over(DeliveryState),
    /// It is tried again at this time.
    Again(Timestamp),
}

/// What an outcome means beyond its own delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The channel is paused and probed; no sooner than at the time that its provider asked for, if it did.
    PauseChannel(Option<Timestamp>),
    /// The endpoint is left alone until then: it asked for that, or fails again and again.
    PauseEndpoint(Timestamp),
    /// The subscription ends: its receiver said so.
    EndSubscription(EndReason),
}

/// What follows when a message may have arrived or not. A repeat could be paid, or read, twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownOutcomePolicy {
    /// It is sent again, under the same id.
    Retry,
    /// It is held until a person decides.
    Hold,
}

/// How long an endpoint or channel is left alone when it asked to be called later (429, Retry-After) without saying when.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_mins(1);
/// The shortest wait for one that said it wants none; twice as long after each further such answer, up to
/// [`MAX_PAUSE`].
pub const MIN_RETRY_AFTER: Duration = Duration::from_secs(5);
/// How many throttled answers in a row use no attempt: some 25 minutes of them. From then on each
/// uses one, so that a server that never has time comes to an end.
pub const FREE_THROTTLES: u32 = 10;
/// The longest wait that a receiver's Retry-After is granted.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);
/// The longest wait that a provider's is: all that goes over its channel waits.
pub const MAX_CHANNEL_RETRY_AFTER: Duration = Duration::from_hours(1);

/// What a decision about a delivery depends on, beside the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryContext {
    /// Over which protocol.
    pub protocol: Protocol,
    /// Attempts used before the one that ended now.
    pub attempts_used: u32,
    /// Until when the delivery makes sense: a confirmation's link expires. Later retries are not made.
    pub deadline: Option<Timestamp>,
    /// What follows from an unknown outcome on its channel.
    pub on_unknown: UnknownOutcomePolicy,
    /// How many attempts at its endpoint have failed in a row before this one, whichever delivery they were at. Where the
    /// provider of its channel throttles: how many times in a row it did before.
    pub failures: u32,
}

/// Decides what follows when an attempt ended with `outcome`.
#[must_use]
pub fn decide(context: RetryContext, outcome: &Outcome, now: Timestamp, jitter: Jitter) -> Decision {
    let mut decision = consequences(context, outcome, now, jitter);
    if let (Next::Again(at), Some(deadline)) = (decision.next, context.deadline)
        && at >= deadline
    {
        decision.next = Next::Over(DeliveryState::Dead);
    }
    if decision.consequence.is_none() && blames_endpoint(context.protocol, outcome.kind) {
        let pause = pause_after(context.failures.saturating_add(1));
        decision.consequence = pause.map(|pause| Consequence::PauseEndpoint(now + jittered(pause, jitter)));
    }
    decision
}

/// Whether the endpoint is to be paused, since whatever else goes to it would fail too. An answer that did not come is
/// the endpoint's own fault where no provider stands between.
fn blames_endpoint(protocol: Protocol, kind: OutcomeKind) -> bool {
    match kind {
        OutcomeKind::Transient(scope) => scope == Scope::Endpoint,
        OutcomeKind::Unknown => !protocol.has_provider(),
        _ => false,
    }
}

fn consequences(context: RetryContext, outcome: &Outcome, now: Timestamp, jitter: Jitter) -> Decision {
    let RetryContext { protocol, attempts_used, on_unknown, .. } = context;
    match outcome.kind {
        OutcomeKind::Delivered => over(DeliveryState::Delivered),
        OutcomeKind::Sandboxed => over(DeliveryState::Sandboxed),
        OutcomeKind::Transient(Scope::Channel) | OutcomeKind::Permanent(Scope::Channel) => {
            without_attempt(now, Consequence::PauseChannel(None))
        }
        OutcomeKind::Throttled { scope: Scope::Channel, retry_after } => {
            let asked = retry_after.unwrap_or_default();
            let until = now + throttle_wait(asked, context.failures).min(MAX_CHANNEL_RETRY_AFTER);
            throttled(context, without_attempt(now, Consequence::PauseChannel(Some(until))), now, jitter)
        }
        OutcomeKind::Throttled { retry_after, .. } => {
            let asked = retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
            let until = now + throttle_wait(asked, context.failures).min(MAX_RETRY_AFTER);
            throttled(context, without_attempt(until, Consequence::PauseEndpoint(until)), now, jitter)
        }
        OutcomeKind::Permanent(Scope::Endpoint) => {
            let reason = EndReason::of_receiver(protocol);
            Decision { consequence: Some(Consequence::EndSubscription(reason)), ..over(DeliveryState::Dead) }
        }
        OutcomeKind::Permanent(Scope::Delivery | Scope::Unclear) => over(DeliveryState::Dead),
        OutcomeKind::Unknown if on_unknown == UnknownOutcomePolicy::Hold => over(DeliveryState::Held),
        OutcomeKind::Unknown | OutcomeKind::Transient(_) => {
            again(protocol, attempts_used.saturating_add(1), now, jitter)
        }
    }
}

/// How long to wait for one that throttled, and asked for `asked`, after so many such answers before.
fn throttle_wait(asked: Duration, failures: u32) -> Duration {
    asked.max(MIN_RETRY_AFTER.saturating_mul(1 << failures.min(16)).min(MAX_PAUSE))
}

/// Decides about a throttled attempt: `free` at first; later each uses an attempt, and the next is made no sooner than
/// the schedule has it.
fn throttled(context: RetryContext, free: Decision, now: Timestamp, jitter: Jitter) -> Decision {
    if context.failures < FREE_THROTTLES {
        return free;
    }
    let mut decision = again(context.protocol, context.attempts_used.saturating_add(1), now, jitter);
    if let (Next::Again(scheduled), Next::Again(asked)) = (decision.next, free.next) {
        decision.next = Next::Again(scheduled.max(asked));
    }
    Decision { consequence: free.consequence, ..decision }
}

fn over(state: DeliveryState) -> Decision {
    Decision { next: Next::Over(state), uses_attempt: true, consequence: None }
}

fn without_attempt(at: Timestamp, consequence: Consequence) -> Decision {
    Decision { next: Next::Again(at), uses_attempt: false, consequence: Some(consequence) }
}

fn again(protocol: Protocol, attempts_used: u32, now: Timestamp, jitter: Jitter) -> Decision {
    match Schedule::of(protocol).delay(attempts_used) {
        Some(delay) => Decision {
            next: Next::Again(now + jittered(delay, jitter)),
            uses_attempt: true,
            consequence: None,
        },
        None => over(DeliveryState::Dead),
    }
}

impl DeliveryKind {
    /// Every kind there is.
    pub const ALL: [Self; 4] = [Self::Notification, Self::Confirmation, Self::Notice, Self::Test];

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Confirmation => "confirmation",
            Self::Notice => "notice",
            Self::Test => "test",
        }
    }
}

impl DeliveryState {
    /// Every state there is.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::InFlight,
        Self::Delivered,
        Self::Sandboxed,
        Self::Held,
        Self::Dead,
        Self::Cancelled,
    ];

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InFlight => "in_flight",
            Self::Delivered => "delivered",
            Self::Sandboxed => "sandboxed",
            Self::Held => "held",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// The states that may follow this one.
    #[must_use]
    pub fn successors(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::InFlight, Self::Delivered, Self::Cancelled],
            Self::InFlight => {
                &[Self::Pending, Self::Delivered, Self::Sandboxed, Self::Held, Self::Dead, Self::Cancelled]
            }
            Self::Held => &[Self::Pending, Self::Delivered, Self::Dead, Self::Cancelled],
            Self::Delivered => &[Self::Dead],
            Self::Dead => &[Self::Pending, Self::Delivered],
            Self::Cancelled => &[Self::Delivered],
            Self::Sandboxed => &[],
        }
    }

    /// Whether a person can send it again.
    #[must_use]
    pub fn can_be_redriven(self) -> bool {
        matches!(self, Self::Held | Self::Dead)
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
