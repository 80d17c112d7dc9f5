//! Keeping a window on what is due.

use domain::Timestamp;
use domain::endpoint::Protocol;

use super::super::channel_lane::ChannelLane;
use super::super::endpoint_queue::EndpointQueue;
use super::{Action, Engine};
use crate::Error;
use crate::ports::{Due, DueDelivery, DueQuery};

/// A channel for which no more deliveries than these wait is given more.
const LOW: usize = 500;
/// The most deliveries asked for at once: what waits already may be answered again, and must not hide the rest.
const LIMIT: usize = (Protocol::ALL.len() + 1) * LOW;
/// How many deliveries of one endpoint it holds, for each attempt that the endpoint bears at once.
const DEPTH: usize = 8;

impl Engine {
    pub(super) fn fetch_if_wanted(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        self.more |= self.time_has_come(now);
        if self.fetching || !self.more {
            return;
        }
        let (wanted, skip_protocols): (Vec<_>, Vec<_>) =
            Protocol::ALL.into_iter().partition(|protocol| self.wants_more(*protocol, now));
        if wanted.is_empty() {
            return;
        }
        self.queues.retain(|_, queue| !queue.is_idle(now));
        let depth =
            self.lanes.values().map(|lane| lane.rules.concurrency.endpoint).max().unwrap_or(1) * DEPTH;
        let full = |queue: &EndpointQueue| queue.is_paused(now) || queue.waiting() * 2 > depth;
        let skip_endpoints = self.queues.iter().filter(|(_, queue)| full(queue)).map(|(id, _)| *id).collect();
        self.fetching = true;
        self.more = false;
        actions.push(Action::Fetch(DueQuery {
            now,
            per_endpoint: depth,
            limit: LIMIT,
            skip_endpoints,
            skip_protocols,
        }));
    }

    /// Whether something fell due, or an endpoint's pause ended, since this was asked last.
    fn time_has_come(&mut self, now: Timestamp) -> bool {
        let due = self.next_due.take_if(|at| *at <= now).is_some();
        self.queues.values_mut().fold(due, |come, queue| queue.end_pause(now) || come)
    }

    /// Whether few deliveries wait that could begin. Those whose endpoints are busy or paced do not count: they would
    /// keep others out.
    fn wants_more(&self, protocol: Protocol, now: Timestamp) -> bool {
        let Some(lane) = self.lanes.get(&protocol).filter(|lane| !lane.is_paused()) else { return false };
        let ready = |queue: &&EndpointQueue| queue.ready(lane.rules.concurrency.endpoint, now).is_some();
        let queues = self.queues.values().filter(|queue| queue.protocol == protocol).filter(ready);
        queues.map(EndpointQueue::waiting).sum::<usize>() <= LOW
    }

    pub(super) fn fetched(&mut self, answer: Result<Due, Error>, now: Timestamp) {
        self.fetching = false;
        match answer {
            Ok(due) => {
                self.next_due = due.next_at;
                for delivery in due.deliveries {
                    if !self.is_paused(&delivery, now) && self.held.insert(delivery.id) {
                        self.more = true;
                        self.queue_of(&delivery).push(delivery);
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
        self.lanes.get(&delivery.protocol()).is_some_and(ChannelLane::is_paused)
            || self.queues.get(&delivery.subscription.id).is_some_and(|queue| queue.is_paused(now))
    }
}
