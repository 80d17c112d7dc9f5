//! One subscription's deliveries as the engine holds them, in the order in which they fell due.

use std::collections::VecDeque;
use std::time::Duration;

use domain::Timestamp;
use domain::attempt::OutcomeKind;
use domain::delivery::DeliveryKind;
use domain::endpoint::Protocol;
use domain::failure_streak::{FailureStreak, pause_after};

use super::cooldown::Cooldown;
use super::rate_limiter::RateLimiter;
use crate::ports::DueDelivery;

/// After so many in a row an endpoint is trusted to take a whole batch.
const MANY_SUCCESSES: u32 = 8;

/// Attempts that are on record ahead should be made within this time: what is to be sent is decided no earlier, so that who
/// unsubscribes is not sent much more.
const AHEAD_FOR: Duration = Duration::from_millis(250);

/// What waits for, and what goes to, one endpoint.
#[derive(Debug)]
pub(super) struct EndpointQueue {
    pub(super) protocol: Protocol,
    /// How many attempts at it may be under way.
    concurrency: usize,
    /// How many attempts may be on record ahead of those that are under way.
    ahead: usize,
    waiting: VecDeque<DueDelivery>,
    /// Attempts that are being recorded to be made at once, or are under way.
    in_flight: usize,
    /// How many attempts are being recorded ahead.
    recording_ahead: usize,
    /// Those on record ahead: each is made once the one before it succeeded.
    lined_up: VecDeque<DueDelivery>,
    /// How long its last attempt took, if that succeeded.
    took: Option<Duration>,
    /// How many attempts have succeeded since one failed last.
    successes: u32,
    rate_limiter: RateLimiter,
    pause: Option<Cooldown>,
    /// How it fails. What was heard since the queue is here counts: the store may not know it yet.
    failure_streak: Option<FailureStreak>,
    /// Its last attempt took long.
    slow: bool,
}

/// Whether a queue has something to send now, or what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueueState {
    /// Its next delivery may begin. Degraded: its endpoint failed last, or took long.
    Ready { degraded: bool },
    /// Until then its endpoint is paused, or its rate holds back what waits.
    Sleeping(Timestamp),
    /// Nothing can begin before an attempt in flight ends.
    Busy,
    /// Nothing waits; its rate limiter is to be kept until then.
    Resting(Timestamp),
    /// Nothing waits or is remembered: the queue can be dropped.
    Idle,
}

impl EndpointQueue {
    /// An empty queue of an endpoint that takes `concurrency` attempts at once; its failure streak is as the store has
    /// it.
    pub(super) fn new(
        protocol: Protocol,
        (concurrency, ahead): (usize, usize),
        failure_streak: Option<FailureStreak>,
        slow: bool,
    ) -> Self {
        Self {
            protocol,
            concurrency,
            ahead,
            waiting: VecDeque::new(),
            in_flight: 0,
            recording_ahead: 0,
            lined_up: VecDeque::new(),
            took: None,
            successes: if failure_streak.is_some() { 0 } else { MANY_SUCCESSES },
            rate_limiter: RateLimiter::default(),
            pause: None,
            failure_streak,
            slow,
        }
    }

    pub(super) fn push(&mut self, delivery: DueDelivery) {
        self.waiting.push_back(delivery);
    }

    /// Puts a delivery back to where it was taken from.
    pub(super) fn put_back(&mut self, delivery: DueDelivery) {
        self.waiting.push_front(delivery);
        self.on_attempt_ended();
    }

    /// Takes the next delivery: an attempt at it begins. Where the endpoint fails again and again, it is the one that was
    /// tried least: one that poisons its receiver keeps no other waiting.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<DueDelivery> {
        let tried_least = || (0..self.waiting.len()).min_by_key(|place| self.waiting[*place].attempts);
        let next = if self.fails_repeatedly() { tried_least()? } else { 0 };
        let delivery = self.waiting.remove(next)?;
        self.in_flight += 1;
        self.rate_limiter.record(delivery.subscription.attributes.max_receives_per_second, now);
        Some(delivery)
    }

    pub(super) fn on_attempt_ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Takes deliveries whose attempts are to be recorded ahead; none while enough of them are.
    pub(super) fn take_ahead(&mut self) -> Vec<DueDelivery> {
        let (most, there) = (self.most_ahead(), self.lined_up.len());
        if self.recording_ahead > 0 || there * 2 > most {
            return Vec::new();
        }
        let may_go_ahead = |delivery: &&DueDelivery| {
            let at_any_time = delivery.subscription.attributes.max_receives_per_second.is_none();
            delivery.kind == DeliveryKind::Notification && at_any_time
        };
        let count = self.waiting.iter().take(most - there).take_while(may_go_ahead).count();
        self.recording_ahead = count;
        self.waiting.drain(..count).collect()
    }

    /// Puts a delivery back whose attempt was to be recorded ahead.
    pub(super) fn put_back_ahead(&mut self, delivery: DueDelivery) {
        self.recording_ahead = self.recording_ahead.saturating_sub(1);
        self.waiting.push_front(delivery);
    }

    /// Takes in whether an attempt was recorded ahead: it is made in its turn.
    pub(super) fn recorded_ahead(&mut self, delivery: Option<DueDelivery>) {
        self.recording_ahead = self.recording_ahead.saturating_sub(1);
        self.lined_up.extend(delivery);
    }

    /// Takes the delivery whose turn it is of those that were recorded ahead.
    pub(super) fn take_lined_up(&mut self) -> Option<DueDelivery> {
        if self.in_flight >= self.limit() {
            return None;
        }
        let delivery = self.lined_up.pop_front()?;
        self.in_flight += 1;
        Some(delivery)
    }

    /// Takes all that were recorded ahead: they are not made.
    pub(super) fn take_back(&mut self) -> impl Iterator<Item = DueDelivery> {
        self.lined_up.drain(..)
    }

    /// How many attempts may be on record ahead now: as many as are made within [`AHEAD_FOR`] by how long the last one took,
    /// if that succeeded; after a failure, few at first.
    fn most_ahead(&self) -> usize {
        let Some(took) = self.took.filter(|_| self.may_go_on()) else { return 0 };
        let within = usize::try_from(AHEAD_FOR.as_micros() / took.as_micros().max(1)).unwrap_or(usize::MAX);
        let proven = (1 << self.successes.min(MANY_SUCCESSES)) - 1;
        within.min(proven).min(self.ahead)
    }

    /// Whether what is on record ahead is made: taken back, it would come after what waits behind it. So it is only where
    /// something failed, or takes very long.
    pub(super) fn may_go_on(&self) -> bool {
        !self.is_degraded() && self.pause.is_none()
    }

    /// Whether more wait, and for nothing but their turn: no pause, nor any rate.
    pub(super) fn more_wait_their_turn(&self) -> bool {
        let at_any_time = |next: &DueDelivery| next.subscription.attributes.max_receives_per_second.is_none();
        self.may_go_on() && self.waiting.front().is_some_and(at_any_time)
    }

    /// Takes in what came of an attempt that took so long.
    pub(super) fn record_outcome(&mut self, kind: OutcomeKind, took: Duration, slow: bool, now: Timestamp) {
        self.slow = slow;
        self.took = Some(took).filter(|_| kind.scope().is_none());
        self.successes = self.took.map_or(0, |_| self.successes.saturating_add(1));
        if kind.is_endpoint_failure() {
            self.failure_streak = Some(FailureStreak::after_failure(self.failure_streak, now));
        } else if kind.scope().is_none() {
            self.failure_streak = None;
        }
    }

    /// Whether its last attempt failed, or took long.
    pub(super) fn is_degraded(&self) -> bool {
        self.failure_streak.is_some() || self.slow
    }

    /// How many attempts have failed in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failure_streak.map_or(0, |failing| failing.count)
    }

    pub(super) fn pause(&mut self, now: Timestamp, until: Timestamp) {
        self.pause = Some(Cooldown::new(now, until).or_longer(self.pause, now));
    }

    pub(super) fn is_paused(&self, now: Timestamp) -> bool {
        self.pause.is_some_and(|wait| !wait.is_over(now))
    }

    /// Takes in that a pause is over; answers whether one was.
    pub(super) fn end_pause(&mut self, now: Timestamp) -> bool {
        self.pause.take_if(|wait| wait.is_over(now)).is_some()
    }

    /// Forgets a pause, however long it would be.
    pub(super) fn lift_pause(&mut self) {
        self.pause = None;
    }

    /// How many deliveries wait here.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether anything is here that a pause of its channel concerns.
    pub(super) fn holds_any(&self) -> bool {
        !self.waiting.is_empty() || !self.lined_up.is_empty()
    }

    /// Empties the queue; what waited stays pending in the store.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = DueDelivery> {
        self.waiting.drain(..)
    }

    /// Its state.
    pub(super) fn state(&self, now: Timestamp) -> QueueState {
        let paused = self.pause.filter(|wait| !wait.is_over(now)).map(Cooldown::until);
        let limited = self.rate_limiter.next(now);
        match (paused, limited) {
            (Some(until), _) => QueueState::Sleeping(until),
            (None, Some(next)) if !self.waiting.is_empty() => QueueState::Sleeping(next),
            // What was recorded ahead goes first.
            _ if self.in_flight >= self.limit() || self.recording_ahead > 0 || !self.lined_up.is_empty() => {
                QueueState::Busy
            }
            _ if !self.waiting.is_empty() => QueueState::Ready { degraded: self.is_degraded() },
            _ if self.in_flight > 0 => QueueState::Busy,
            (None, Some(next)) => QueueState::Resting(next),
            (None, None) => QueueState::Idle,
        }
    }

    /// How many attempts may be under way: an endpoint that fails again and again is tried with one at a time.
    fn limit(&self) -> usize {
        if self.fails_repeatedly() { self.concurrency.min(1) } else { self.concurrency }
    }

    fn fails_repeatedly(&self) -> bool {
        pause_after(self.failures()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use domain::attempt::Scope;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn an_endpoint_that_fails_again_and_again_is_tried_with_one_at_a_time_until_something_gets_through() {
        let mut queue = EndpointQueue::new(Protocol::Webhook, (4, 0), None, false);
        let limits: Vec<_> = [OutcomeKind::Transient(Scope::Endpoint); 3]
            .into_iter()
            .chain([OutcomeKind::Transient(Scope::Channel), OutcomeKind::Delivered])
            .map(|kind| {
                queue.record_outcome(kind, Duration::ZERO, false, NOW);
                queue.limit()
            })
            .collect();
        assert_eq!(limits, [4, 1, 1, 1, 4]);
    }

    #[test]
    fn a_queue_rests_while_its_rate_limiter_is_kept_and_is_idle_then() {
        let mut queue = EndpointQueue::new(Protocol::Webhook, (4, 0), None, false);
        queue.rate_limiter.record(NonZeroU32::new(1), NOW);
        let second = NOW + Duration::from_secs(1);
        assert_eq!(queue.state(NOW), QueueState::Resting(second));
        assert_eq!(queue.state(second), QueueState::Idle);
        queue.pause(NOW, second + Duration::from_secs(9));
        assert_eq!(queue.state(second), QueueState::Sleeping(second + Duration::from_secs(9)));
    }
}
