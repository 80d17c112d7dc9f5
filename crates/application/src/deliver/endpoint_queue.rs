//! One subscription's deliveries as the engine holds them, in the order in which they fell due.

use std::collections::VecDeque;

use domain::Timestamp;
use domain::endpoint::Protocol;

use super::pace::Pace;
use super::wait::Wait;
use crate::ports::DueDelivery;

/// What waits for, and what goes to, one endpoint.
#[derive(Debug)]
pub(super) struct EndpointQueue {
    pub(super) protocol: Protocol,
    waiting: VecDeque<DueDelivery>,
    in_flight: usize,
    pace: Pace,
    pause: Option<Wait>,
}

impl EndpointQueue {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self { protocol, waiting: VecDeque::new(), in_flight: 0, pace: Pace::default(), pause: None }
    }

    pub(super) fn push(&mut self, delivery: DueDelivery) {
        self.waiting.push_back(delivery);
    }

    /// Puts a delivery back to where it was taken from.
    pub(super) fn put_back(&mut self, delivery: DueDelivery) {
        self.waiting.push_front(delivery);
        self.ends();
    }

    /// The next delivery, if the endpoint can bear one more now.
    pub(super) fn ready(&self, concurrency: usize, now: Timestamp) -> Option<&DueDelivery> {
        let free = self.in_flight < concurrency && !self.is_paused(now) && self.pace.allows(now);
        self.waiting.front().filter(|_| free)
    }

    /// Takes the next delivery: an attempt at it begins.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<DueDelivery> {
        let delivery = self.waiting.pop_front()?;
        self.in_flight += 1;
        self.pace.begins(delivery.subscription.attributes.max_receives_per_second, now);
        Some(delivery)
    }

    /// When the endpoint's pace lets the next delivery begin, if one waits and not now.
    pub(super) fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        self.pace.next(now).filter(|_| !self.waiting.is_empty())
    }

    pub(super) fn ends(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(super) fn pause(&mut self, now: Timestamp, until: Timestamp) {
        self.pause = Some(Wait::new(now, until).or_longer(self.pause, now));
    }

    pub(super) fn is_paused(&self, now: Timestamp) -> bool {
        self.pause.is_some_and(|wait| !wait.is_over(now))
    }

    /// When the pause ends whose end was not taken in yet.
    pub(super) fn paused_until(&self) -> Option<Timestamp> {
        self.pause.map(Wait::until)
    }

    /// Takes in that a pause is over; answers whether one was.
    pub(super) fn end_pause(&mut self, now: Timestamp) -> bool {
        self.pause.take_if(|wait| wait.is_over(now)).is_some()
    }

    /// How many deliveries wait here.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Empties the queue; what waited stays owed in the store.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = DueDelivery> {
        self.waiting.drain(..)
    }

    /// Whether nothing would be forgotten with this queue.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let rests = self.pace.allows(now) && !self.is_paused(now);
        self.waiting.is_empty() && self.in_flight == 0 && rests
    }
}
