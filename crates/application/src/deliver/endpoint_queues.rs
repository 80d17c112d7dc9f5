//! The queues of all endpoints, and which of them an event concerns: those that are ready, in the order of their turns;
//! those that sleep, by when they wake. The work for one event does not grow with the queues that it does not concern.

mod round_robin;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use domain::Timestamp;
use domain::attempt::OutcomeKind;
use domain::endpoint::Protocol;
use domain::subscription::SubscriptionId;

use super::endpoint_queue::{EndpointQueue, QueueState};
use crate::ports::DueDelivery;
use round_robin::RoundRobin;

/// The most paused endpoints that the store is told to skip: it knows the pauses that are on record, and what comes
/// back of the others is not taken in.
const MAX_SKIPPED_ENDPOINTS: usize = 1_000;

/// All queues. See the module's description.
#[derive(Debug)]
pub(super) struct EndpointQueues {
    queues: HashMap<SubscriptionId, QueueEntry>,
    turns: BTreeMap<Protocol, RoundRobin>,
    sleeping: BTreeSet<(Timestamp, SubscriptionId)>,
    resting: BTreeSet<(Timestamp, SubscriptionId)>,
    paused: BTreeSet<SubscriptionId>,
    /// Those more than half full, and those that hold anything and are degraded or sleeping.
    full: BTreeSet<SubscriptionId>,
    /// Endpoints whose last attempt took long. Forgotten with the process.
    slow: BTreeSet<SubscriptionId>,
    /// How many deliveries of one endpoint are asked for at once.
    depth: usize,
    latest: Timestamp,
    queues_scanned: u64,
}

/// A queue, and how the lists have it.
#[derive(Debug)]
struct QueueEntry {
    queue: EndpointQueue,
    state: QueueState,
    /// Its turn, while it is ready.
    turn: u64,
    /// How many deliveries waited in it when it was indexed last.
    waited: usize,
}

impl EndpointQueues {
    pub(super) fn new(depth: usize) -> Self {
        Self {
            queues: HashMap::new(),
            turns: BTreeMap::new(),
            sleeping: BTreeSet::new(),
            resting: BTreeSet::new(),
            paused: BTreeSet::new(),
            full: BTreeSet::new(),
            slow: BTreeSet::new(),
            depth,
            latest: Timestamp::MIN,
            queues_scanned: 0,
        }
    }

    /// How many deliveries of one endpoint are asked for at once.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// How many queues were looked at so far.
    pub(super) fn queues_scanned(&self) -> u64 {
        self.queues_scanned
    }

    /// Takes in a delivery, of whose endpoint so many attempts may be under way, and so many on record ahead.
    pub(super) fn push(&mut self, delivery: DueDelivery, at_once: (usize, usize), now: Timestamp) {
        let (id, protocol) = (delivery.subscription.id, delivery.protocol());
        let (failure_streak, slow) = (delivery.subscription.failure_streak, self.slow.contains(&id));
        let new = || QueueEntry {
            queue: EndpointQueue::new(protocol, at_once, failure_streak, slow),
            state: QueueState::Idle,
            turn: 0,
            waited: 0,
        };
        self.queues.entry(id).or_insert_with(new).queue.push(delivery);
        self.reindex(id, now);
    }

    /// Puts a delivery back to where it was taken from.
    pub(super) fn put_back(&mut self, delivery: DueDelivery, now: Timestamp) {
        let id = delivery.subscription.id;
        self.change(id, now, |queue| queue.put_back(delivery));
    }

    /// Takes the next delivery of a channel, an endpoint at a time in turn, so that none waits for another's backlog;
    /// those at which the channel failed come after the others. Also answers whether its endpoint is degraded.
    pub(super) fn take(
        &mut self,
        protocol: Protocol,
        room_for_degraded: bool,
        channel_failed_at: impl Fn(SubscriptionId) -> bool,
        now: Timestamp,
    ) -> Option<(DueDelivery, bool)> {
        let id = self.turns.get_mut(&protocol)?.next(room_for_degraded, channel_failed_at)?;
        self.unindex(id);
        self.change(id, now, |queue| Some((queue.take(now)?, queue.is_degraded())))?
    }

    /// Takes deliveries of an endpoint whose attempts are to be recorded ahead of their turn.
    pub(super) fn take_ahead(&mut self, id: SubscriptionId, now: Timestamp) -> Vec<DueDelivery> {
        self.change(id, now, EndpointQueue::take_ahead).unwrap_or_default()
    }

    /// Puts a delivery back whose attempt was to be recorded ahead.
    pub(super) fn put_back_ahead(&mut self, delivery: DueDelivery, now: Timestamp) {
        let id = delivery.subscription.id;
        self.change(id, now, |queue| queue.put_back_ahead(delivery));
    }

    /// Takes in whether an attempt at an endpoint was recorded ahead.
    pub(super) fn recorded_ahead(
        &mut self,
        id: SubscriptionId,
        delivery: Option<DueDelivery>,
        now: Timestamp,
    ) {
        self.change(id, now, |queue| queue.recorded_ahead(delivery));
    }

    /// Takes the delivery whose turn it is of those that were recorded ahead.
    pub(super) fn take_lined_up(&mut self, id: SubscriptionId, now: Timestamp) -> Option<DueDelivery> {
        self.change(id, now, EndpointQueue::take_lined_up)?
    }

    /// Takes all of an endpoint that were recorded ahead: they are not made.
    pub(super) fn take_back(&mut self, id: SubscriptionId, now: Timestamp) -> Vec<DueDelivery> {
        self.change(id, now, |queue| queue.take_back().collect()).unwrap_or_default()
    }

    /// Whether attempts at an endpoint that are on record ahead are made.
    pub(super) fn may_go_on(&self, id: SubscriptionId) -> bool {
        self.queues.get(&id).is_some_and(|entry| entry.queue.may_go_on())
    }

    /// Whether more wait for an endpoint, and for nothing but their turn.
    pub(super) fn more_wait_their_turn(&self, id: SubscriptionId) -> bool {
        self.queues.get(&id).is_some_and(|entry| entry.queue.more_wait_their_turn())
    }

    /// Whether deliveries to other endpoints of its channel wait that could begin, were there room.
    pub(super) fn others_are_ready(&self, id: SubscriptionId) -> bool {
        self.queues.get(&id).is_some_and(|entry| self.ready(entry.queue.protocol) > 0)
    }

    /// The endpoints of a channel for which anything is here.
    pub(super) fn holding(&self, protocol: Protocol) -> Vec<SubscriptionId> {
        self.turns.get(&protocol).map_or_else(Vec::new, |turns| turns.holding.iter().copied().collect())
    }

    /// Counts that an attempt at that endpoint is over.
    pub(super) fn on_attempt_ended(&mut self, id: SubscriptionId, now: Timestamp) {
        self.change(id, now, EndpointQueue::on_attempt_ended);
    }

    /// Takes in what came of an attempt.
    pub(super) fn record_outcome(
        &mut self,
        id: SubscriptionId,
        kind: OutcomeKind,
        (took, slow): (Duration, bool),
        now: Timestamp,
    ) {
        set_membership(&mut self.slow, id, slow);
        self.change(id, now, |queue| queue.record_outcome(kind, took, slow, now));
    }

    /// How many attempts at an endpoint have failed in a row.
    pub(super) fn failures(&self, id: SubscriptionId) -> u32 {
        self.queues.get(&id).map_or(0, |entry| entry.queue.failures())
    }

    /// Leaves an endpoint alone until then.
    pub(super) fn pause(&mut self, id: SubscriptionId, now: Timestamp, until: Timestamp) {
        self.change(id, now, |queue| queue.pause(now, until));
    }

    pub(super) fn is_paused(&self, id: SubscriptionId, now: Timestamp) -> bool {
        self.queues.get(&id).is_some_and(|entry| entry.queue.is_paused(now))
    }

    /// Leaves no endpoint alone any longer.
    pub(super) fn lift_pauses(&mut self, now: Timestamp) {
        for id in std::mem::take(&mut self.paused) {
            self.change(id, now, EndpointQueue::lift_pause);
        }
    }

    /// Empties an endpoint's queue: what waited stays pending in the store.
    pub(super) fn clear(&mut self, id: SubscriptionId, now: Timestamp) -> Vec<DueDelivery> {
        self.change(id, now, |queue| queue.clear().collect()).unwrap_or_default()
    }

    /// Wakes what has slept for long enough. Answers whether a pause is over.
    pub(super) fn wake(&mut self, now: Timestamp) -> bool {
        let mut over = false;
        for id in self.due_to_wake(now) {
            over |= self.change(id, now, |queue| queue.end_pause(now)).unwrap_or_default();
        }
        self.latest = now;
        over
    }

    /// When the next queue is to be woken.
    pub(super) fn wakes_at(&self) -> Option<Timestamp> {
        self.sleeping.first().map(|(at, _)| *at)
    }

    /// How many deliveries of a channel wait that could begin, were there room. Those whose endpoints are busy,
    /// rate-limited or paused do not count: they would keep others out.
    pub(super) fn ready(&self, protocol: Protocol) -> usize {
        self.turns.get(&protocol).map_or(0, RoundRobin::waiting)
    }

    /// How many of these wait for healthy endpoints.
    pub(super) fn ready_healthy(&self, protocol: Protocol) -> usize {
        self.turns.get(&protocol).map_or(0, RoundRobin::waiting_for_healthy)
    }

    /// The endpoints of which no more is wanted.
    pub(super) fn skipped(&self) -> Vec<SubscriptionId> {
        let paused = self.paused.iter().filter(|id| !self.full.contains(id));
        self.full.iter().chain(paused.take(MAX_SKIPPED_ENDPOINTS)).copied().collect()
    }

    /// The queues whose sleep or rest is over. A clock that was set back may have ended waits that began later than now.
    fn due_to_wake(&mut self, now: Timestamp) -> Vec<SubscriptionId> {
        let until = if now < self.latest { Timestamp::MAX } else { now };
        let sleepers = self.sleeping.iter().take_while(|(at, _)| *at <= until);
        let resting = self.resting.iter().take_while(|(at, _)| *at <= until);
        sleepers.chain(resting).map(|(_, id)| *id).collect()
    }

    /// Changes a queue, and indexes it anew.
    fn change<T>(
        &mut self,
        id: SubscriptionId,
        now: Timestamp,
        change: impl FnOnce(&mut EndpointQueue) -> T,
    ) -> Option<T> {
        let changed = change(&mut self.queues.get_mut(&id)?.queue);
        self.reindex(id, now);
        Some(changed)
    }

    /// Moves a queue to the list of its state; drops an idle one.
    fn reindex(&mut self, id: SubscriptionId, now: Timestamp) {
        self.queues_scanned += 1;
        let Some(entry) = self.queues.get(&id) else { return };
        let state = entry.queue.state(now);
        if state != entry.state {
            self.unindex(id);
        }
        let Some(entry) = self.queues.get_mut(&id) else { return };
        let turns = self.turns.entry(entry.queue.protocol).or_default();
        let (queue, waited) = (&entry.queue, entry.waited);
        match state {
            QueueState::Ready { degraded } if entry.state != state => {
                entry.turn = turns.join(id, degraded, queue.waiting());
            }
            QueueState::Ready { degraded } => turns.recount(degraded, waited, queue.waiting()),
            QueueState::Sleeping(until) => _ = self.sleeping.insert((until, id)),
            QueueState::Resting(until) => _ = self.resting.insert((until, id)),
            QueueState::Busy | QueueState::Idle => {}
        }
        turns.set_holding(id, queue.holds_any());
        set_membership(&mut self.paused, id, queue.is_paused(now));
        // A degraded one has its share of turns, and a rate-limited one its time: what these hold is enough, and more
        // would keep others out.
        let is_slow = queue.is_degraded() || matches!(state, QueueState::Sleeping(_));
        let full = queue.waiting() * 2 > self.depth || (is_slow && queue.waiting() > 0);
        set_membership(&mut self.full, id, full);
        (entry.state, entry.waited) = (state, queue.waiting());
        if state == QueueState::Idle {
            self.queues.remove(&id);
        }
    }

    /// Takes a queue out of the list of its state.
    fn unindex(&mut self, id: SubscriptionId) {
        let Some(entry) = self.queues.get_mut(&id) else { return };
        match entry.state {
            QueueState::Ready { degraded } => {
                let turns = self.turns.entry(entry.queue.protocol).or_default();
                turns.leave(entry.turn, degraded, entry.waited);
            }
            QueueState::Sleeping(until) => _ = self.sleeping.remove(&(until, id)),
            QueueState::Resting(until) => _ = self.resting.remove(&(until, id)),
            QueueState::Busy | QueueState::Idle => {}
        }
        entry.state = QueueState::Idle;
    }
}

fn set_membership(set: &mut BTreeSet<SubscriptionId>, id: SubscriptionId, belongs: bool) {
    if belongs {
        set.insert(id);
    } else {
        set.remove(&id);
    }
}
