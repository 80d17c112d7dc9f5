//! One channel as the engine sees it: how much is in flight, how fast it goes, and whether it is paused.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind};
use domain::delivery::DeliveryId;
use domain::subscription::SubscriptionId;

use super::cooldown::Cooldown;
use super::failure_attribution::{FailureAttribution, Suspect};
use super::rate_limiter::RateLimiter;
use crate::ports::{ChannelRules, DueDelivery};

const FIRST_PROBE: Duration = Duration::from_secs(2);
const MAX_PROBE: Duration = Duration::from_mins(1);
/// The part of a channel that endpoints may take up that failed last or were slow: one in four.
pub(super) const AILING_SHARE: usize = 4;
/// An attempt that takes longer than this makes its endpoint a slow one, until one takes less.
const SLOW: Duration = Duration::from_secs(5);
/// So many attempts in a row of which nobody knows what came of them say that a provider does not answer.
const UNHEARD: u32 = 3;

/// One channel's capacity and health.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    pub(super) rules: ChannelRules,
    pace: RateLimiter,
    in_flight: HashMap<DeliveryId, Flight>,
    /// How many of these count against the share of the failing and the slow.
    ailing: usize,
    state: State,
    /// Failures since the last success; a channel that fails right after a good probe is probed less and less.
    failures: u32,
    /// Attempts in a row of which nobody knows what came of them.
    unheard: u32,
    /// Pauses in a row that its provider asked for.
    throttles: u32,
    attribution: FailureAttribution,
}

/// An attempt in flight.
#[derive(Debug, Clone, Copy)]
struct Flight {
    since: Timestamp,
    ailing: bool,
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
            pace: RateLimiter::default(),
            in_flight: HashMap::new(),
            ailing: 0,
            state: State::Closed,
            failures: 0,
            unheard: 0,
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
        self.in_flight.len() < capacity && self.pace.allows(now)
    }

    /// Whether, where an attempt may begin, it may be to an endpoint that failed last or was slow: however many of these
    /// hang or drip, most of the channel is left to those that work.
    pub(super) fn has_room_for_ailing(&self) -> bool {
        self.ailing < (self.rules.concurrency.channel / AILING_SHARE).max(1)
    }

    /// Whether the channel just failed at this recipient: others go first.
    pub(super) fn suspects(&self, recipient: SubscriptionId) -> bool {
        self.attribution.holds(recipient)
    }

    /// When its pace lets the next attempt begin, if not now.
    pub(super) fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        self.pace.next(now)
    }

    pub(super) fn is_paused(&self) -> bool {
        matches!(self.state, State::Open(_) | State::Probing)
    }

    /// An attempt begins, to an endpoint that is ailing or not.
    pub(super) fn begins(&mut self, delivery: &DueDelivery, ailing: bool, now: Timestamp) {
        self.ailing += usize::from(ailing);
        self.in_flight.insert(delivery.id, Flight { since: now, ailing });
        self.pace.begins(self.rules.max_per_second, now);
    }

    pub(super) fn ends(&mut self, delivery: &DueDelivery) {
        let ended = self.in_flight.remove(&delivery.id);
        self.ailing -= usize::from(ended.is_some_and(|flight| flight.ailing));
    }

    /// Takes in what came of an attempt. Answers the outcome, or what it is taken for; and whether nobody has heard
    /// from the other side for several attempts in a row.
    pub(super) fn record_outcome(&mut self, delivery: &DueDelivery, outcome: Outcome) -> (Outcome, bool) {
        let said = outcome.kind;
        let outcome = self.attribution.attribute(Suspect::of(delivery), outcome);
        if said == OutcomeKind::Unknown {
            self.unheard = self.unheard.saturating_add(1);
            return (outcome, self.unheard >= UNHEARD);
        }
        if said.is_answer() && outcome.kind.is_answer() {
            self.works();
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

    /// Whether an attempt in flight takes long, where each endpoint is a server of its own.
    pub(super) fn takes_long(&self, delivery: &DueDelivery, now: Timestamp) -> bool {
        let since = self.in_flight.get(&delivery.id).map(|flight| flight.since);
        let took = since.map(|since| Duration::try_from(now.duration_since(since)).unwrap_or_default());
        took.is_some_and(|took| took > SLOW) && !delivery.protocol().has_provider()
    }

    fn works(&mut self) {
        self.failures = 0;
        self.unheard = 0;
        self.throttles = 0;
        self.attribution.channel_answers();
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

    /// A probe failed: the next one comes later.
    pub(super) fn probe_failed(&mut self, now: Timestamp) {
        self.wait_for_probe(now);
    }

    /// A probe went well.
    pub(super) fn resume(&mut self) {
        self.state = State::HalfOpen;
    }

    /// Whether a probe is to be made now; if so, it counts as being made.
    pub(super) fn take_probe(&mut self, now: Timestamp) -> bool {
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
        let delay = FIRST_PROBE.saturating_mul(1 << self.failures.min(10)).min(MAX_PROBE);
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
