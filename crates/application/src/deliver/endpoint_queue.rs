//! One subscription's deliveries as the engine holds them, in the order in which they fell due.

use std::collections::VecDeque;

use domain::Timestamp;
use domain::endpoint::Protocol;

use crate::ports::DueDelivery;

/// What waits for, and what goes to, one endpoint.
#[derive(Debug)]
pub(super) struct EndpointQueue {
    pub(super) protocol: Protocol,
    waiting: VecDeque<DueDelivery>,
    in_flight: usize,
    paused_until: Option<Timestamp>,
}

impl EndpointQueue {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self { protocol, waiting: VecDeque::new(), in_flight: 0, paused_until: None }
    }

    pub(super) fn push(&mut self, delivery: DueDelivery) {
        self.waiting.push_back(delivery);
    }

    /// Puts a delivery back to where it was taken from.
    pub(super) fn put_back(&mut self, delivery: DueDelivery) {
        self.waiting.push_front(delivery);
        self.ends();
    }

    /// Takes the next delivery if the endpoint can bear one more.
    pub(super) fn take(&mut self, concurrency: usize, now: Timestamp) -> Option<DueDelivery> {
        if self.in_flight >= concurrency || self.is_paused(now) {
            return None;
        }
        let delivery = self.waiting.pop_front()?;
        self.in_flight += 1;
        Some(delivery)
    }

    pub(super) fn ends(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(super) fn pause_until(&mut self, until: Timestamp) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    pub(super) fn is_paused(&self, now: Timestamp) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    /// When the pause ends whose end was not taken in yet.
    pub(super) fn paused_until(&self) -> Option<Timestamp> {
        self.paused_until
    }

    /// Takes in that a pause is over; answers whether one was.
    pub(super) fn end_pause(&mut self, now: Timestamp) -> bool {
        self.paused_until.take_if(|until| *until <= now).is_some()
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
        self.waiting.is_empty() && self.in_flight == 0 && !self.is_paused(now)
    }
}
