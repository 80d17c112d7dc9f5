//! Keeping a window on what is due.

use domain::Timestamp;
use domain::endpoint::Protocol;

use super::super::circuit_breaker::CircuitBreaker;
use super::{Action, Engine};
use crate::Error;
use crate::ports::{ChannelRules, Due, DueDelivery, DueQuery};

/// A channel for which no more deliveries than these wait is given more.
const LOW_WATER_MARK: usize = 500;
/// The most deliveries asked for at once: what waits already may be answered again, and must not hide the rest.
const FETCH_LIMIT: usize = (Protocol::ALL.len() + 1) * LOW_WATER_MARK;
/// How many deliveries of one endpoint it holds at least, for each attempt that the endpoint bears at once.
const QUEUE_DEPTH: usize = 8;

/// How many deliveries of one endpoint it holds: while as many as go in a batch are made, as many more are found.
pub(super) fn queue_depth(rules: ChannelRules) -> usize {
    let at_once = rules.concurrency.endpoint;
    (at_once * QUEUE_DEPTH).max(2 * (at_once + rules.ahead()))
}

impl Engine {
    pub(super) fn fetch_if_wanted(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        self.more |= self.next_due.take_if(|at| *at <= now).is_some();
        if self.fetching || !self.more {
            return;
        }
        let (wanted, skip_protocols): (Vec<_>, Vec<_>) =
            Protocol::ALL.into_iter().partition(|protocol| self.wants_more(*protocol));
        if wanted.is_empty() {
            return;
        }
        self.fetching = true;
        self.more = false;
        actions.push(Action::Fetch(DueQuery {
            now,
            per_endpoint: self.queues.depth(),
            limit: FETCH_LIMIT,
            skip_deliveries: self.held.iter().copied().collect(),
            skip_endpoints: self.queues.skipped(),
            skip_protocols,
        }));
    }

    /// Whether few deliveries wait that could begin; those for endpoints that are degraded keep no others out.
    fn wants_more(&self, protocol: Protocol) -> bool {
        let works = self.breakers.get(&protocol).is_some_and(|breaker| !breaker.is_paused());
        works && self.queues.ready_healthy(protocol) <= LOW_WATER_MARK
    }

    pub(super) fn fetched(&mut self, answer: Result<Due, Error>, now: Timestamp) {
        self.fetching = false;
        let incomplete = std::mem::take(&mut self.dropped_meanwhile);
        self.more |= !incomplete.is_empty();
        match answer {
            Ok(due) => {
                self.next_due = due.next_at;
                let whole = |delivery: &DueDelivery| !incomplete.contains(&delivery.subscription.id);
                for delivery in due.deliveries.into_iter().filter(whole) {
                    if !self.is_paused(&delivery, now) && self.held.insert(delivery.id) {
                        self.more = true;
                        let rules = self.breakers.get(&delivery.protocol()).map(|breaker| breaker.rules);
                        let at_once = rules.map_or((0, 0), |it| (it.concurrency.endpoint, it.ahead()));
                        self.queues.push(delivery, at_once, now);
                    }
                }
            }
            Err(error) => {
                self.more = true;
                self.store_failed(&error, now);
            }
        }
    }

    /// Whether a delivery's channel or endpoint was paused while the store looked; the pause's end fetches it again.
    fn is_paused(&self, delivery: &DueDelivery, now: Timestamp) -> bool {
        self.breakers.get(&delivery.protocol()).is_some_and(CircuitBreaker::is_paused)
            || self.queues.is_paused(delivery.subscription.id, now)
    }
}
