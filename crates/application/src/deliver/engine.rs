//! The delivery engine: a state machine that is told what happened and says what to do next.
//!
//! It does no I/O and has no clock. What it holds in memory is only a window on what is due in the store, so that a
//! restart loses nothing.

mod ahead;
mod begin;
mod conclude;
mod fetch;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use domain::Timestamp;
use domain::attempt::Outcome;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::retry::Jitter;
use domain::subscription::SubscriptionId;

use super::circuit_breaker::{BreakerState, CircuitBreaker};
use super::cooldown::Cooldown;
use super::endpoint_queues::EndpointQueues;
use super::giving_way::GivingWay;
use crate::Error;
use crate::ports::{ChannelRules, Due, DueDelivery, DueQuery, Finished, Intent, Sent};

/// How long it waits after the store failed.
const STORE_BACKOFF: Duration = Duration::from_secs(1);

/// What the engine is told.
#[derive(Debug)]
pub enum Event {
    /// It starts, something may have become due, or [`Engine::wake_at`] has come.
    Woken,
    /// What the store answered to [`Action::Fetch`].
    Fetched(Result<Due, Error>),
    /// What the store answered to [`Action::Begin`].
    Begun(Result<Vec<DeliveryId>, Error>),
    /// What came of [`Action::Send`].
    Sent(DeliveryId, Sent),
    /// What the store answered to [`Action::Record`]: whom it suspended.
    Recorded(Result<Vec<SubscriptionId>, Error>),
    /// What came of [`Action::Probe`].
    Probed(Protocol, Result<(), Outcome>),
    /// A person had what waits sent at once, or resumed a subscription: which endpoint is still to be left alone, the
    /// store says.
    PausesLifted,
    /// The program is to end: nothing more is begun.
    Drain,
}

/// What the engine asks for. Each is answered by an event, but for the two notes.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// Ask the store what is due.
    Fetch(DueQuery),
    /// Record these attempts before they are made.
    Begin(Vec<Intent>),
    /// Make this attempt, of this number.
    Send(Box<DueDelivery>, u32),
    /// Record these outcomes.
    Record(Vec<Finished>),
    /// Find out whether the channel works again.
    Probe(Protocol),
    /// Note that the channel is paused, and why.
    NotePause(Protocol, String),
    /// Note that the channel works again.
    NoteResume(Protocol),
}

/// A delivery whose attempt is being recorded.
#[derive(Debug)]
struct Beginning {
    delivery: DueDelivery,
    /// It is not made at once: others to its endpoint come first.
    ahead: bool,
}

/// The engine. See the module's description.
#[derive(Debug)]
pub struct Engine {
    breakers: BTreeMap<Protocol, CircuitBreaker>,
    queues: EndpointQueues,
    /// Every delivery in a queue, beginning or being sent: it is not taken in twice.
    held: HashSet<DeliveryId>,
    beginning: Vec<Beginning>,
    /// Endpoints at which an attempt succeeded since: more may be recorded ahead.
    going_well: BTreeSet<SubscriptionId>,
    /// By their channels: endpoints whose next attempt is on record, and may be made once the channel has room.
    lined_up: BTreeMap<Protocol, VecDeque<SubscriptionId>>,
    sending: HashMap<DeliveryId, DueDelivery>,
    outcomes: Vec<Finished>,
    recording: Vec<Finished>,
    /// When the store was given the attempts that are beginning.
    begin_asked_at: Timestamp,
    /// When it was given the outcomes that are being recorded.
    record_asked_at: Timestamp,
    giving_way: GivingWay,
    fetching: bool,
    /// Endpoints of which something was dropped while the store was looking: what it answers of them lacks that, and would
    /// come before it.
    dropped_meanwhile: HashSet<SubscriptionId>,
    more: bool,
    next_due: Option<Timestamp>,
    /// When a channel's rate lets the next attempt begin, where only that held one back when this was asked last.
    next_slot: Option<Timestamp>,
    store_failed: Option<Cooldown>,
    draining: bool,
}

impl Engine {
    /// An engine over these channels, with nothing in hand.
    #[must_use]
    pub fn new(channels: impl IntoIterator<Item = (Protocol, ChannelRules)>) -> Self {
        let breakers: BTreeMap<_, _> =
            channels.into_iter().map(|(protocol, rules)| (protocol, CircuitBreaker::new(rules))).collect();
        let depth = breakers.values().map(|breaker| fetch::queue_depth(breaker.rules)).max().unwrap_or(1);
        Self {
            breakers,
            queues: EndpointQueues::new(depth),
            held: HashSet::new(),
            beginning: Vec::new(),
            going_well: BTreeSet::new(),
            lined_up: BTreeMap::new(),
            sending: HashMap::new(),
            outcomes: Vec::new(),
            recording: Vec::new(),
            begin_asked_at: Timestamp::MIN,
            record_asked_at: Timestamp::MIN,
            giving_way: GivingWay::default(),
            fetching: false,
            dropped_meanwhile: HashSet::new(),
            more: true,
            next_due: None,
            next_slot: None,
            store_failed: None,
            draining: false,
        }
    }

    /// Takes in what happened and says what to do next.
    pub fn on(&mut self, event: Event, now: Timestamp, jitter: Jitter) -> Vec<Action> {
        let mut actions = Vec::new();
        self.more |= self.queues.wake(now);
        match event {
            Event::Woken => self.more = true,
            Event::Fetched(answer) => self.fetched(answer, now),
            Event::Begun(answer) => self.begun(answer, now, &mut actions),
            Event::Sent(delivery, sent) => self.sent(delivery, sent, now, jitter, &mut actions),
            Event::Recorded(answer) => self.recorded(answer, now),
            Event::Probed(protocol, answer) => self.probed(protocol, &answer, now, &mut actions),
            Event::PausesLifted => {
                self.queues.lift_pauses(now);
                self.more = true;
            }
            Event::Drain => self.drain(now),
        }
        self.step(now, &mut actions);
        // Kept, not asked anew by whoever waits: what has come by then would be forgotten.
        self.next_slot = self
            .breakers
            .iter()
            .filter_map(|(protocol, breaker)| self.next_slot_of(*protocol, breaker, now))
            .min();
        actions
    }

    /// When the engine wants to be woken, if nothing happens before: `now` or later.
    #[must_use]
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let probes = self.breakers.values().filter_map(CircuitBreaker::next_probe);
        let sleepers = self.queues.wakes_at();
        let wanted = match self.store_failed {
            Some(wait) => Some(wait.until()),
            None if self.draining => None,
            None => probes.chain(sleepers).chain(self.next_slot).chain(self.next_due).min(),
        };
        wanted.map(|at| at.max(now))
    }

    /// How its channels do.
    pub fn breaker_states(&self) -> impl Iterator<Item = (Protocol, BreakerState)> {
        self.breakers.iter().map(|(protocol, breaker)| (*protocol, breaker.state()))
    }

    /// How long new orders are to wait for each row that they added lately, so that they take no more than their share of
    /// the processor and the writer. No time, unless telling lags for want of these.
    #[must_use]
    pub fn orders_give_way(&self, now: Timestamp) -> Duration {
        self.giving_way.per_row(now)
    }

    /// How many endpoints' queues it has looked at so far: the measure of its work, which must not grow with the
    /// endpoints that an event does not concern.
    #[must_use]
    pub fn queues_scanned(&self) -> u64 {
        self.queues.queues_scanned()
    }

    /// When the rate of a channel lets the next delivery begin, if only that holds it back.
    fn next_slot_of(
        &self,
        protocol: Protocol,
        breaker: &CircuitBreaker,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let waits = !breaker.is_paused() && self.queues.ready(protocol) > 0;
        breaker.next_slot(now).filter(|_| waits)
    }

    /// Whether everything begun has been recorded.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.beginning.is_empty()
            && self.sending.is_empty()
            && self.outcomes.is_empty()
            && self.recording.is_empty()
    }

    fn step(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if self.store_failed.is_some_and(|wait| !wait.is_over(now)) {
            return;
        }
        self.store_failed = None;
        if self.recording.is_empty() && !self.outcomes.is_empty() {
            self.recording = std::mem::take(&mut self.outcomes);
            self.record_asked_at = now;
            actions.push(Action::Record(self.recording.clone()));
        }
        if self.draining {
            return;
        }
        self.fetch_if_wanted(now, actions);
        self.send_lined_up(now, actions);
        if self.beginning.is_empty() {
            self.dispatch_ready(now, actions);
        }
        for (protocol, breaker) in &mut self.breakers {
            if breaker.start_probe_if_due(now) {
                actions.push(Action::Probe(*protocol));
            }
        }
    }

    fn drain(&mut self, now: Timestamp) {
        self.draining = true;
        for protocol in Protocol::ALL {
            self.evict_channel(protocol, now);
        }
    }

    /// Drops what waits for an endpoint from memory: it stays pending in the store, and takes no place here from others.
    fn evict_endpoint(&mut self, id: SubscriptionId, now: Timestamp) {
        self.take_back(id, now);
        self.drop_waiting(id, now);
    }

    fn drop_waiting(&mut self, id: SubscriptionId, now: Timestamp) {
        for delivery in self.queues.clear(id, now) {
            self.held.remove(&delivery.id);
            if self.fetching {
                self.dropped_meanwhile.insert(id);
            }
        }
    }

    /// Drops what waits for a channel from memory.
    fn evict_channel(&mut self, protocol: Protocol, now: Timestamp) {
        for id in self.queues.holding(protocol) {
            self.evict_endpoint(id, now);
        }
    }

    /// The delivery is no longer in the engine's hands.
    fn release(&mut self, delivery: &DueDelivery, now: Timestamp) {
        self.held.remove(&delivery.id);
        if let Some(breaker) = self.breakers.get_mut(&delivery.protocol()) {
            breaker.on_attempt_ended(delivery);
        }
        self.queues.on_attempt_ended(delivery.subscription.id, now);
    }

    fn store_failed(&mut self, error: &Error, now: Timestamp) {
        tracing::error!(%error, cause = error.cause(), "the store failed; trying again");
        self.store_failed = Some(Cooldown::new(now, now + STORE_BACKOFF));
    }
}

/// How long ago that was; no time, where the clock was set back.
fn since(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}
