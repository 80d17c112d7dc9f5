//! The queues of all endpoints, and which of them an event concerns: those that are ready, in the order of their turns;
//! those that sleep, by when they wake. The work for one event does not grow with the queues that it does not concern.

mod turns;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::Timestamp;
use domain::attempt::OutcomeKind;
use domain::endpoint::Protocol;
use domain::subscription::SubscriptionId;

use super::endpoint_queue::{EndpointQueue, Stand};
use crate::ports::DueDelivery;
use turns::Turns;

/// How many paused endpoints the store is told to skip: it knows the pauses that are on record, and what comes back of
/// the others is not taken in.
const MOST_SKIPPED: usize = 1_000;

/// All queues. See the module's description.
#[derive(Debug)]
pub(super) struct EndpointQueues {
    queues: HashMap<SubscriptionId, Placed>,
    turns: BTreeMap<Protocol, Turns>,
    asleep: BTreeSet<(Timestamp, SubscriptionId)>,
    resting: BTreeSet<(Timestamp, SubscriptionId)>,
    paused: BTreeSet<SubscriptionId>,
    /// Those more than half full, and those that hold anything and ail or are asleep.
    full: BTreeSet<SubscriptionId>,
    /// Endpoints whose last attempt took long. Forgotten with the process.
    slow: BTreeSet<SubscriptionId>,
    /// How many deliveries of one endpoint are asked for at once.
    depth: usize,
    latest: Timestamp,
    visits: u64,
}

/// A queue and where it stands in the lists.
#[derive(Debug)]
struct Placed {
    queue: EndpointQueue,
    stand: Stand,
    /// Its turn, while it is ready.
    turn: u64,
    /// How many deliveries waited in it as it was placed.
    waited: usize,
}

impl EndpointQueues {
    pub(super) fn new(depth: usize) -> Self {
        Self {
            queues: HashMap::new(),
            turns: BTreeMap::new(),
            asleep: BTreeSet::new(),
            resting: BTreeSet::new(),
            paused: BTreeSet::new(),
            full: BTreeSet::new(),
            slow: BTreeSet::new(),
            depth,
            latest: Timestamp::MIN,
            visits: 0,
        }
    }

    /// How many deliveries of one endpoint are asked for at once.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// How many queues were looked at so far.
    pub(super) fn visits(&self) -> u64 {
        self.visits
    }

    /// Takes in a delivery, of whose endpoint so many attempts may be under way.
    pub(super) fn push(&mut self, delivery: DueDelivery, concurrency: usize, now: Timestamp) {
        let (id, protocol) = (delivery.subscription.id, delivery.protocol());
        let (failure_streak, slow) = (delivery.subscription.failure_streak, self.slow.contains(&id));
        let new = || Placed {
            queue: EndpointQueue::new(protocol, concurrency, failure_streak, slow),
            stand: Stand::Idle,
            turn: 0,
            waited: 0,
        };
        self.queues.entry(id).or_insert_with(new).queue.push(delivery);
        self.place(id, now);
    }

    /// Puts a delivery back to where it was taken from.
    pub(super) fn put_back(&mut self, delivery: DueDelivery, now: Timestamp) {
        let id = delivery.subscription.id;
        self.change(id, now, |queue| queue.put_back(delivery));
    }

    /// Takes the next delivery of a channel, an endpoint at a time in turn, so that none waits for another's backlog;
    /// those that are suspected come after the others. Also answers whether its endpoint is ailing.
    pub(super) fn take(
        &mut self,
        protocol: Protocol,
        room_for_ailing: bool,
        suspected: impl Fn(SubscriptionId) -> bool,
        now: Timestamp,
    ) -> Option<(DueDelivery, bool)> {
        let id = self.turns.get_mut(&protocol)?.next(room_for_ailing, suspected)?;
        self.leave(id);
        self.change(id, now, |queue| Some((queue.take(now)?, queue.is_ailing())))?
    }

    /// An attempt at a delivery to that endpoint is over.
    pub(super) fn ends(&mut self, id: SubscriptionId, now: Timestamp) {
        self.change(id, now, EndpointQueue::ends);
    }

    /// Takes in what came of an attempt.
    pub(super) fn record_outcome(
        &mut self,
        id: SubscriptionId,
        kind: OutcomeKind,
        slow: bool,
        now: Timestamp,
    ) {
        keep(&mut self.slow, id, slow);
        self.change(id, now, |queue| queue.record_outcome(kind, slow, now));
    }

    /// How many attempts at an endpoint have failed in a row.
    pub(super) fn failures(&self, id: SubscriptionId) -> u32 {
        self.queues.get(&id).map_or(0, |placed| placed.queue.failures())
    }

    /// Leaves an endpoint alone until then.
    pub(super) fn pause(&mut self, id: SubscriptionId, now: Timestamp, until: Timestamp) {
        self.change(id, now, |queue| queue.pause(now, until));
    }

    pub(super) fn is_paused(&self, id: SubscriptionId, now: Timestamp) -> bool {
        self.queues.get(&id).is_some_and(|placed| placed.queue.is_paused(now))
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

    /// Empties the queues of a channel.
    pub(super) fn clear_channel(&mut self, protocol: Protocol, now: Timestamp) -> Vec<DueDelivery> {
        let holding = self.turns.get(&protocol).map(|turns| turns.holding.clone()).unwrap_or_default();
        holding.into_iter().flat_map(|id| self.clear(id, now)).collect()
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
        self.asleep.first().map(|(at, _)| *at)
    }

    /// How many deliveries of a channel wait that could begin, were there room. Those whose endpoints are busy, paced or
    /// paused do not count: they would keep others out.
    pub(super) fn ready(&self, protocol: Protocol) -> usize {
        self.turns.get(&protocol).map_or(0, Turns::waiting)
    }

    /// How many of these wait for endpoints that do not ail.
    pub(super) fn ready_and_well(&self, protocol: Protocol) -> usize {
        self.turns.get(&protocol).map_or(0, Turns::waiting_for_healthy)
    }

    /// The endpoints of which no more is wanted.
    pub(super) fn skipped(&self) -> Vec<SubscriptionId> {
        let paused = self.paused.iter().filter(|id| !self.full.contains(id));
        self.full.iter().chain(paused.take(MOST_SKIPPED)).copied().collect()
    }

    /// Whom the time concerns. A clock that was set back may have ended waits that began later than now.
    fn due_to_wake(&mut self, now: Timestamp) -> Vec<SubscriptionId> {
        let until = if now < self.latest { Timestamp::MAX } else { now };
        let sleepers = self.asleep.iter().take_while(|(at, _)| *at <= until);
        let resting = self.resting.iter().take_while(|(at, _)| *at <= until);
        sleepers.chain(resting).map(|(_, id)| *id).collect()
    }

    /// Changes a queue and puts it where it stands then.
    fn change<T>(
        &mut self,
        id: SubscriptionId,
        now: Timestamp,
        change: impl FnOnce(&mut EndpointQueue) -> T,
    ) -> Option<T> {
        let changed = change(&mut self.queues.get_mut(&id)?.queue);
        self.place(id, now);
        Some(changed)
    }

    /// Puts a queue where it stands now; one that is idle leaves.
    fn place(&mut self, id: SubscriptionId, now: Timestamp) {
        self.visits += 1;
        let Some(placed) = self.queues.get(&id) else { return };
        let stand = placed.queue.stand(now);
        if stand != placed.stand {
            self.leave(id);
        }
        let Some(placed) = self.queues.get_mut(&id) else { return };
        let turns = self.turns.entry(placed.queue.protocol).or_default();
        let (queue, waited) = (&placed.queue, placed.waited);
        match stand {
            Stand::Ready { ailing } if placed.stand != stand => {
                placed.turn = turns.join(id, ailing, queue.waiting());
            }
            Stand::Ready { ailing } => turns.recount(ailing, waited, queue.waiting()),
            Stand::Asleep(until) => _ = self.asleep.insert((until, id)),
            Stand::Resting(until) => _ = self.resting.insert((until, id)),
            Stand::Busy | Stand::Idle => {}
        }
        turns.holds(id, queue.waiting() > 0);
        keep(&mut self.paused, id, queue.is_paused(now));
        // One that ails has its share of turns, and a paced one its time: what these hold is enough, and more would keep
        // others out.
        let is_slow = queue.is_ailing() || matches!(stand, Stand::Asleep(_));
        let full = queue.waiting() * 2 > self.depth || (is_slow && queue.waiting() > 0);
        keep(&mut self.full, id, full);
        (placed.stand, placed.waited) = (stand, queue.waiting());
        if stand == Stand::Idle {
            self.queues.remove(&id);
        }
    }

    /// Takes a queue out of the list in which it stands.
    fn leave(&mut self, id: SubscriptionId) {
        let Some(placed) = self.queues.get_mut(&id) else { return };
        match placed.stand {
            Stand::Ready { ailing } => {
                let turns = self.turns.entry(placed.queue.protocol).or_default();
                turns.leave(placed.turn, ailing, placed.waited);
            }
            Stand::Asleep(until) => _ = self.asleep.remove(&(until, id)),
            Stand::Resting(until) => _ = self.resting.remove(&(until, id)),
            Stand::Busy | Stand::Idle => {}
        }
        placed.stand = Stand::Idle;
    }
}

fn keep(set: &mut BTreeSet<SubscriptionId>, id: SubscriptionId, belongs: bool) {
    if belongs {
        set.insert(id);
    } else {
        set.remove(&id);
    }
}
