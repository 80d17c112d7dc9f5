//! A world that runs in no time: a clock, a slow and failing store, receivers and channels that come and go.

use application::ports::ChannelRules;
use domain::delivery::OnUnknown;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use application::deliver::{Action, Engine, Event};
use application::ports::{Concurrency, DueDelivery, Sent};
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::retry::Chance;
use domain::subscription::SubscriptionId;

use crate::given::{due, failure, sent, start};
use crate::model_store::{ModelStore, State};

pub(crate) const CHANNELS: [(Protocol, ChannelRules); 2] =
    [(Protocol::Email, rules(4, 2)), (Protocol::Webhook, rules(6, 1))];

const fn rules(channel: usize, endpoint: usize) -> ChannelRules {
    let concurrency = Concurrency { channel, endpoint };
    ChannelRules { concurrency, max_per_second: None, on_unknown: OnUnknown::Retry }
}

/// Chance that can be had again: the same seed, the same story.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.throw(100) < chance
    }
}

/// What will happen.
#[derive(Debug)]
enum Coming {
    /// The engine is told.
    Tell(Event),
    /// The store or a receiver gets what the engine asked for.
    Do(Action),
    /// An order is published to these.
    Order(Vec<DueDelivery>),
    /// A subscription ends.
    End(SubscriptionId),
    /// A channel breaks or is mended.
    Break(Protocol),
    Mend(Protocol),
}

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) store: ModelStore,
    pub(crate) dice: Dice,
    engine: Engine,
    coming: BTreeMap<(Timestamp, u64), Coming>,
    happened: u64,
    broken: BTreeSet<Protocol>,
    paused: BTreeSet<Protocol>,
    in_flight: BTreeMap<DeliveryId, (Protocol, SubscriptionId)>,
    /// How often each was taken by its receiver, and how often that may have happened unseen.
    pub(crate) arrived: BTreeMap<DeliveryId, usize>,
    pub(crate) unseen: BTreeMap<DeliveryId, usize>,
    store_fails: u64,
    store_failed_at: Timestamp,
    fetches: u64,
}

impl World {
    /// A world in which the store fails with this chance, in percent.
    pub(crate) fn new(seed: u64, store_fails: u64) -> Self {
        let mut world = Self {
            now: start(),
            store: ModelStore::default(),
            dice: Dice(seed),
            engine: Engine::new(CHANNELS),
            coming: BTreeMap::new(),
            happened: 0,
            broken: BTreeSet::new(),
            paused: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            arrived: BTreeMap::new(),
            unseen: BTreeMap::new(),
            store_fails,
            store_failed_at: start() - Duration::from_hours(1),
            fetches: 0,
        };
        world.tell(Event::Woken);
        world
    }

    pub(crate) fn order_at(&mut self, seconds: u64, deliveries: Vec<DueDelivery>) {
        self.plan(Duration::from_secs(seconds), Coming::Order(deliveries));
    }

    pub(crate) fn end_at(&mut self, seconds: u64, subscription: SubscriptionId) {
        self.plan(Duration::from_secs(seconds), Coming::End(subscription));
    }

    pub(crate) fn break_at(&mut self, seconds: u64, protocol: Protocol, lasting: u64) {
        self.plan(Duration::from_secs(seconds), Coming::Break(protocol));
        self.plan(Duration::from_secs(seconds + lasting), Coming::Mend(protocol));
    }

    /// Lets everything happen until nothing more will.
    pub(crate) fn run(&mut self) {
        while self.step() {}
    }

    /// Lets one thing happen; answers whether there was one.
    pub(crate) fn step(&mut self) -> bool {
        self.happened += 1;
        assert!(self.happened < 1_000_000, "the world does not come to an end");
        self.check_nothing_is_forgotten();
        let wake_at = self.engine.wake_at(self.now);
        assert!(wake_at.is_none_or(|at| at >= self.now));
        let next = self.coming.first_key_value().map(|((at, _), _)| *at);
        match (next, wake_at) {
            (None, None) => return false,
            (Some(next), wake) if wake.is_none_or(|wake| next <= wake) => {
                self.now = self.now.max(next);
                if let Some((_, coming)) = self.coming.pop_first() {
                    self.happen(coming);
                }
            }
            (_, wake) => {
                self.now = wake.unwrap_or(self.now);
                self.tell(Event::Woken);
                let again = self.engine.wake_at(self.now);
                assert!(again.is_none_or(|at| at > self.now), "it wants to be woken for ever");
            }
        }
        true
    }

    /// The program is asked to stop, stops, and starts again.
    pub(crate) fn restart_gently(&mut self) {
        self.tell(Event::Drain);
        while !self.engine.is_idle() {
            assert!(self.step(), "it never comes to an end");
        }
        assert!(self.in_flight.is_empty());
        for (protocol, _) in CHANNELS {
            assert_eq!(self.store.in_flight(protocol), 0, "all was recorded or handed back");
        }
        self.start_anew();
    }

    /// The program dies, and starts again.
    pub(crate) fn restart_hard(&mut self) {
        self.in_flight.clear();
        let unrecorded = self.store.rows.values().filter(|(_, state)| *state == State::InFlight);
        for (delivery, _) in unrecorded {
            *self.unseen.entry(delivery.id).or_default() += 1;
        }
        self.store.recover(self.now, Chance(0));
        self.start_anew();
    }

    fn start_anew(&mut self) {
        self.coming.retain(|_, coming| !matches!(coming, Coming::Tell(_) | Coming::Do(_)));
        self.engine = Engine::new(CHANNELS);
        self.paused.clear();
        self.tell(Event::Woken);
    }

    fn plan(&mut self, delay: Duration, coming: Coming) {
        self.happened += 1;
        self.coming.insert((self.now + delay, self.happened), coming);
    }

    fn soon(&mut self, coming: Coming) {
        let delay = Duration::from_millis(self.dice.throw(60));
        self.plan(delay, coming);
    }

    fn tell(&mut self, event: Event) {
        let chance = Chance(u16::try_from(self.dice.throw(65_536)).unwrap_or(0));
        for action in self.engine.on(event, self.now, chance) {
            match action {
                Action::NotePause(protocol, _) => assert!(self.paused.insert(protocol)),
                Action::NoteResume(protocol) => assert!(self.paused.remove(&protocol)),
                Action::Send(delivery, number) => self.send(&delivery, number),
                other => self.soon(Coming::Do(other)),
            }
        }
    }

    fn happen(&mut self, coming: Coming) {
        match coming {
            Coming::Tell(event) => {
                if let Event::Sent(delivery, _) = &event {
                    self.in_flight.remove(delivery);
                }
                self.tell(event);
            }
            Coming::Do(action) => {
                let answer = self.answer(action);
                self.soon(Coming::Tell(answer));
            }
            Coming::Order(deliveries) => {
                for delivery in deliveries {
                    self.store.owe(delivery, self.now);
                }
                self.tell(Event::Woken);
            }
            Coming::End(subscription) => self.store.end(subscription),
            Coming::Break(protocol) => {
                self.broken.insert(protocol);
            }
            Coming::Mend(protocol) => {
                self.broken.remove(&protocol);
            }
        }
    }

    fn answer(&mut self, action: Action) -> Event {
        let fails = self.dice.percent(self.store_fails);
        if fails && !matches!(action, Action::Probe(_)) {
            self.store_failed_at = self.now + Duration::from_millis(60);
        }
        match action {
            Action::Fetch(query) => {
                self.fetches += 1;
                assert!(self.fetches < self.happened / 2 + 10, "it asks without a reason");
                Event::Fetched(if fails { Err(failure()) } else { Ok(self.store.due(&query)) })
            }
            Action::Begin(_) if fails => Event::Begun(Err(failure())),
            Action::Begin(intents) => Event::Begun(Ok(self.store.begin(&intents))),
            Action::Record(finished) => {
                if !fails || self.dice.percent(50) {
                    self.store.finish(&finished);
                }
                Event::Recorded(if fails { Err(failure()) } else { Ok(()) })
            }
            Action::Probe(protocol) if self.broken.contains(&protocol) => {
                Event::Probed(protocol, Err(Outcome::new(OutcomeKind::Transient(Scope::Channel), "down")))
            }
            Action::Probe(protocol) => Event::Probed(protocol, Ok(())),
            Action::Send(..) | Action::NotePause(..) | Action::NoteResume(_) => unreachable!("done at once"),
        }
    }

    /// A message leaves: it was begun, it is on its way only once, and no limit is passed.
    fn send(&mut self, delivery: &DueDelivery, number: u32) {
        let (id, protocol, subscription) = (delivery.id, delivery.protocol(), delivery.subscription.id);
        let (row, state) = &self.store.rows[&id];
        assert_eq!((*state, row.attempts), (State::InFlight, number), "{id:?} is sent as it was begun");
        assert_eq!(row.spent, delivery.spent);
        assert!(self.in_flight.insert(id, (protocol, subscription)).is_none(), "{id:?} is in flight already");
        let limits = CHANNELS.into_iter().find(|(channel, _)| *channel == protocol).unwrap().1;
        let of_channel = self.in_flight.values().filter(|(channel, _)| *channel == protocol).count();
        let of_endpoint = self.in_flight.values().filter(|(_, endpoint)| *endpoint == subscription).count();
        assert!(of_channel <= limits.concurrency.channel && of_endpoint <= limits.concurrency.endpoint);
        let outcome = self.outcome(id, protocol);
        let slowest = if self.dice.percent(5) { 30_000 } else { 300 };
        let takes = Duration::from_millis(self.dice.throw(slowest));
        self.plan(takes, Coming::Tell(Event::Sent(id, outcome)));
    }

    fn outcome(&mut self, id: DeliveryId, protocol: Protocol) -> Sent {
        if self.broken.contains(&protocol) {
            return sent(OutcomeKind::Transient(Scope::Channel));
        }
        let retry_after = Some(Duration::from_secs(self.dice.throw(600)));
        let kind = match self.dice.throw(1_000) {
            0..100 => OutcomeKind::Transient(Scope::Delivery),
            100..200 => OutcomeKind::Transient(Scope::Endpoint),
            200..280 => OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after },
            280..300 => OutcomeKind::Throttled { scope: Scope::Channel, retry_after: None },
            300..330 => OutcomeKind::Permanent(Scope::Delivery),
            330..332 => OutcomeKind::Permanent(Scope::Endpoint),
            332..400 => OutcomeKind::Unknown,
            _ => OutcomeKind::Delivered,
        };
        match kind {
            OutcomeKind::Unknown => *self.unseen.entry(id).or_default() += 1,
            OutcomeKind::Delivered => *self.arrived.entry(id).or_default() += 1,
            _ => {}
        }
        sent(kind)
    }

    /// Once the engine has nothing to wait for but the time, everything that is due has a reason to wait.
    fn check_nothing_is_forgotten(&self) {
        let asked = self.coming.values().any(|coming| matches!(coming, Coming::Tell(_) | Coming::Do(_)));
        let failing = self.now < self.store_failed_at + Duration::from_millis(1_100);
        if asked || failing || self.coming.first_key_value().is_some_and(|((at, _), _)| *at <= self.now) {
            return;
        }
        for (delivery, at) in self.store.pending().filter(|(_, at)| *at < self.now) {
            let subscription = delivery.subscription.id;
            let patient = self.store.patience.get(&subscription).is_some_and(|until| self.now <= *until);
            let paused = self.paused.contains(&delivery.protocol()) || delivery.protocol() == Protocol::Sms;
            let woken = self.engine.wake_at(self.now) == Some(self.now);
            assert!(paused || patient || woken, "{:?}, due {at}, is forgotten at {}", delivery.id, self.now);
        }
    }
}

/// One delivery to each of so many subscribers, from this number on.
pub(crate) fn fan_out(first: u128, subscribers: u128) -> Vec<DueDelivery> {
    let delivery = |place: u128| due(first + place, 1 + place, protocol_of(1 + place));
    (0..subscribers).map(delivery).collect()
}

pub(crate) fn protocol_of(subscriber: u128) -> Protocol {
    match subscriber % 8 {
        0 => Protocol::Sms,
        1..=3 => Protocol::Email,
        _ => Protocol::Webhook,
    }
}
