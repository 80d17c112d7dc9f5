//! Keeping a window on what is due.

use domain::Timestamp;
use domain::endpoint::Protocol;

use super::super::channel_lane::ChannelLane;
use super::super::endpoint_queue::EndpointQueue;
use super::{Action, Engine};
use crate::Error;
use crate::ports::{Due, DueQuery};

/// How many deliveries the engine holds at once.
const WINDOW: usize = 2_000;
/// How many deliveries of one endpoint it holds, for each attempt that the endpoint bears at once.
const DEPTH: usize = 8;

impl Engine {
    pub(super) fn fetch_if_wanted(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let time_has_come = self.next_due.is_some_and(|at| at <= now);
        if self.fetching || !(self.more || time_has_come) || self.held.len() > WINDOW / 2 {
            return;
        }
        self.queues.retain(|_, queue| !queue.is_idle(now));
        let depth = self.lanes.values().map(|lane| lane.concurrency.endpoint).max().unwrap_or(1) * DEPTH;
        let full = |queue: &EndpointQueue| queue.is_paused(now) || queue.waiting() * 2 > depth;
        let skip_endpoints: Vec<_> =
            self.queues.iter().filter(|(_, queue)| full(queue)).map(|(id, _)| *id).collect();
        let paused = |(protocol, lane): (&Protocol, &ChannelLane)| lane.is_paused().then_some(*protocol);
        let unserved = Protocol::ALL.into_iter().filter(|protocol| !self.lanes.contains_key(protocol));
        let skip_protocols = self.lanes.iter().filter_map(paused).chain(unserved).collect();
        self.fetching = true;
        self.more = false;
        let limit = WINDOW - self.held.len();
        actions.push(Action::Fetch(DueQuery {
            now,
            per_endpoint: depth,
            limit,
            skip_endpoints,
            skip_protocols,
        }));
    }

    pub(super) fn fetched(&mut self, answer: Result<Due, Error>, now: Timestamp) {
        self.fetching = false;
        match answer {
            Ok(due) => {
                self.next_due = due.next_at;
                for delivery in due.deliveries {
                    if self.held.insert(delivery.id) {
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
}
