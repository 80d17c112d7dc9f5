//! One channel as the engine sees it: how much is in flight, how fast it goes, and whether it is paused.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind};
use domain::delivery::DeliveryId;
use domain::subscription::SubscriptionId;

use super::cooldown::Cooldown;
use super::failure_attribution::{AttemptSubject, FailureAttribution};
use super::rate_limiter::RateLimiter;
use crate::ports::{ChannelRules, DueDelivery};

const FIRST_PROBE_DELAY: Duration = Duration::from_secs(2);
const MAX_PROBE_DELAY: Duration = Duration::from_mins(1);
/// The share of a channel that degraded endpoints, which failed last or were slow, may take up: one in four.
pub(super) const DEGRADED_SHARE: usize = 4;
/// How long an attempt may take before its endpoint counts as slow, until one takes less.
const SLOW_ATTEMPT: Duration = Duration::from_secs(5);
/// How many attempts of unknown outcome in a row open the breaker of a channel with a provider.
const MAX_UNKNOWN_OUTCOMES: u32 = 3;

/// One channel's capacity and health.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    pub(super) rules: ChannelRules,
    rate_limiter: RateLimiter,
    in_flight: HashMap<DeliveryId, InFlightAttempt>,
    /// How many of these count against the share of the failing and the slow.
    degraded: usize,
    state: State,
    /// Failures since the last success; a channel that fails right after a good probe is probed less and less.
    failures: u32,
    /// Attempts in a row of which nobody knows what came of them.
    unknown_outcomes: u32,
    /// Pauses in a row that its provider asked for.
    throttles: u32,
    attribution: FailureAttribution,
}

/// An attempt in flight.
#[derive(Debug, Clone, Copy)]
struct InFlightAttempt {
    since: Timestamp,
    degraded: bool,
}

/// The state of a channel's circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// It sends.
    Closed,
    /// A probe went well: one delivery goes ahead before the others follow.
    HalfOpen,
    /// It sends nothing until a probe goes well.
    Open,
    /// A probe is under way.
    Probing,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Closed,
    HalfOpen,
    Open(Cooldown),
    Probing,
}

impl CircuitBreaker {
    pub(super) fn new(rules: ChannelRules) -> Self {
        Self {
            rules,
            rate_limiter: RateLimiter::default(),
            in_flight: HashMap::new(),
            degraded: 0,
            state: State::Closed,
            failures: 0,
            unknown_outcomes: 0,
            throttles: 0,
            attribution: FailureAttribution::default(),
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::HalfOpen => BreakerState::HalfOpen,
            State::Open(_) => BreakerState::Open,
            State::Probing => BreakerState::Probing,
        }
    }

    /// Whether an attempt may begin now.
    pub(super) fn has_room(&self, now: Timestamp) -> bool {
        let capacity = match self.state {
            State::Closed => self.rules.concurrency.channel,
            State::HalfOpen => 1,
            State::Open(_) | State::Probing => 0,
        };
        self.in_flight.len() < capacity && self.rate_limiter.allows(now)
    }

    /// Whether, where an attempt may begin, it may be to an endpoint that failed last or was slow: however many of these
    /// hang or drip, most of the channel is left to those that work.
    pub(super) fn has_room_for_degraded(&self) -> bool {
        self.degraded < (self.rules.concurrency.channel / DEGRADED_SHARE).max(1)
    }

    /// Whether the channel just failed at this recipient: after a pause others go first.
    pub(super) fn failed_at(&self, recipient: SubscriptionId) -> bool {
        self.attribution.failed_at(recipient)
    }

    /// When its rate lets the next attempt begin, if not now.
    pub(super) fn next_slot(&self, now: Timestamp) -> Option<Timestamp> {
        self.rate_limiter.next(now)
    }

    pub(super) fn is_paused(&self) -> bool {
        matches!(self.state, State::Open(_) | State::Probing)
    }

    /// Counts an attempt that begins, to an endpoint that is degraded or not.
    pub(super) fn on_attempt_started(&mut self, delivery: &DueDelivery, degraded: bool, now: Timestamp) {
        self.degraded += usize::from(degraded);
        self.in_flight.insert(delivery.id, InFlightAttempt { since: now, degraded });
        self.rate_limiter.record(self.rules.max_per_second, now);
    }

    /// Takes in that an attempt was recorded, and is made from now on.
    pub(super) fn on_sent(&mut self, delivery: &DueDelivery, now: Timestamp) {
        if let Some(attempt) = self.in_flight.get_mut(&delivery.id) {
            attempt.since = now;
        }
    }

    /// Counts that an attempt is over.
    pub(super) fn on_attempt_ended(&mut self, delivery: &DueDelivery) {
        let ended = self.in_flight.remove(&delivery.id);
        self.degraded -= usize::from(ended.is_some_and(|flight| flight.degraded));
    }

    /// Takes in what came of an attempt. Answers the outcome, or what it is taken for; and whether nobody has heard
    /// from the other side for several attempts in a row.
    pub(super) fn record_outcome(&mut self, delivery: &DueDelivery, outcome: Outcome) -> (Outcome, bool) {
        let said = outcome.kind;
        let outcome = self.attribution.attribute(AttemptSubject::of(delivery), outcome);
        if said == OutcomeKind::Unknown {
            self.unknown_outcomes = self.unknown_outcomes.saturating_add(1);
            return (outcome, self.unknown_outcomes >= MAX_UNKNOWN_OUTCOMES);
        }
        if said.is_answer() && outcome.kind.is_answer() {
            self.record_answer();
        }
        (outcome, false)
    }

    /// Notes that its provider throttles; answers how many times in a row it did before. Attempts that were in flight
    /// together count once.
    pub(super) fn throttled(&mut self) -> u32 {
        let before = self.throttles;
        if self.is_paused() {
            return before.saturating_sub(1);
        }
        self.throttles = before.saturating_add(1);
        before
    }

    /// How long an attempt in flight has taken so far.
    pub(super) fn took(&self, delivery: &DueDelivery, now: Timestamp) -> Duration {
        let since = self.in_flight.get(&delivery.id).map(|flight| flight.since);
        since.and_then(|since| Duration::try_from(now.duration_since(since)).ok()).unwrap_or_default()
    }

    /// Whether an attempt that takes so long is slow, where each endpoint is a server of its own.
    pub(super) fn is_slow(delivery: &DueDelivery, took: Duration) -> bool {
        took > SLOW_ATTEMPT && !delivery.protocol().has_provider()
    }

    /// Notes that the channel answers: closes the breaker after a good probe, and counts all failures anew.
    fn record_answer(&mut self) {
        self.failures = 0;
        self.unknown_outcomes = 0;
        self.throttles = 0;
        self.attribution.record_answer();
        if self.state == State::HalfOpen {
            self.state = State::Closed;
        }
    }

    /// Pauses the channel, and does not probe it before `until`; answers whether it was not paused already.
    pub(super) fn pause(&mut self, now: Timestamp, until: Option<Timestamp>) -> bool {
        let fresh = !self.is_paused();
        if fresh {
            self.wait_for_probe(now);
        }
        if let (State::Open(wait), Some(until)) = (&mut self.state, until) {
            *wait = Cooldown::new(now, until).or_longer(Some(*wait), now);
        }
        fresh
    }

    /// Notes that a probe failed: the next one comes later.
    pub(super) fn probe_failed(&mut self, now: Timestamp) {
        self.wait_for_probe(now);
    }

    /// Half-opens the breaker: a probe went well.
    pub(super) fn half_open(&mut self) {
        self.state = State::HalfOpen;
    }

    /// Starts a probe if one is due; answers whether it did.
    pub(super) fn start_probe_if_due(&mut self, now: Timestamp) -> bool {
        let due = matches!(self.state, State::Open(wait) if wait.is_over(now));
        if due {
            self.state = State::Probing;
        }
        due
    }

    pub(super) fn next_probe(&self) -> Option<Timestamp> {
        match self.state {
            State::Open(wait) => Some(wait.until()),
            _ => None,
        }
    }

    fn wait_for_probe(&mut self, now: Timestamp) {
        let delay = FIRST_PROBE_DELAY.saturating_mul(1 << self.failures.min(10)).min(MAX_PROBE_DELAY);
        self.failures += 1;
        self.state = State::Open(Cooldown::new(now, now + delay));
    }
}

impl BreakerState {
    /// Every state there is.
    pub const ALL: [Self; 4] = [Self::Closed, Self::HalfOpen, Self::Open, Self::Probing];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
            Self::Probing => "probing",
        }
    }

    /// The states that may follow this one.
    #[must_use]
    pub fn successors(self) -> &'static [Self] {
        match self {
            Self::Closed => &[Self::Open],
            Self::HalfOpen => &[Self::Closed, Self::Open],
            Self::Open => &[Self::Probing],
            Self::Probing => &[Self::HalfOpen, Self::Open],
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
