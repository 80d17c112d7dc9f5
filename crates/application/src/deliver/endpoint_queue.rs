//! One subscription's deliveries as the engine holds them, in the order in which they fell due.

use std::collections::VecDeque;

use domain::Timestamp;
use domain::attempt::OutcomeKind;
use domain::endpoint::Protocol;
use domain::failure_streak::{FailureStreak, pause_after};

use super::cooldown::Cooldown;
use super::rate_limiter::RateLimiter;
use crate::ports::DueDelivery;

/// What waits for, and what goes to, one endpoint.
#[derive(Debug)]
pub(super) struct EndpointQueue {
    pub(super) protocol: Protocol,
    /// How many attempts at it may be under way.
    concurrency: usize,
    waiting: VecDeque<DueDelivery>,
    in_flight: usize,
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
        concurrency: usize,
        failure_streak: Option<FailureStreak>,
        slow: bool,
    ) -> Self {
        Self {
            protocol,
            concurrency,
            waiting: VecDeque::new(),
            in_flight: 0,
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
        let mut delivery = self.waiting.remove(next)?;
        self.in_flight += 1;
        self.rate_limiter.record(delivery.subscription.attributes.max_receives_per_second, now);
        delivery.subscription.failure_streak = self.failure_streak;
        Some(delivery)
    }

    pub(super) fn on_attempt_ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Takes in what came of an attempt.
    pub(super) fn record_outcome(&mut self, kind: OutcomeKind, slow: bool, now: Timestamp) {
        self.slow = slow;
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
            _ if self.in_flight >= self.limit() => QueueState::Busy,
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
    use std::time::Duration;

    use domain::attempt::Scope;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn an_endpoint_that_fails_again_and_again_is_tried_with_one_at_a_time_until_something_gets_through() {
        let mut queue = EndpointQueue::new(Protocol::Webhook, 4, None, false);
        let limits: Vec<_> = [OutcomeKind::Transient(Scope::Endpoint); 3]
            .into_iter()
            .chain([OutcomeKind::Transient(Scope::Channel), OutcomeKind::Delivered])
            .map(|kind| {
                queue.record_outcome(kind, false, NOW);
                queue.limit()
            })
            .collect();
        assert_eq!(limits, [4, 1, 1, 1, 4]);
    }

    #[test]
    fn a_queue_rests_while_its_rate_limiter_is_kept_and_is_idle_then() {
        let mut queue = EndpointQueue::new(Protocol::Webhook, 4, None, false);
        queue.rate_limiter.record(NonZeroU32::new(1), NOW);
        let second = NOW + Duration::from_secs(1);
        assert_eq!(queue.state(NOW), QueueState::Resting(second));
        assert_eq!(queue.state(second), QueueState::Idle);
        queue.pause(NOW, second + Duration::from_secs(9));
        assert_eq!(queue.state(second), QueueState::Sleeping(second + Duration::from_secs(9)));
    }
}
