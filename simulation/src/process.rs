//! One life of the program: the real store, use cases, relay and engine, wired up as a host wires them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use application::deliver::{Engine, Event};
use application::orders::Placed;
use application::ports::{Clock, Escalated, Randomness};
use application::relay::{Relay, RelayEvent};
use application::startup_recovery;
use application::subscriptions::SubscribeAnswer;
use application::{App, ChannelMode, Error, Links, OwnDelivery};
use domain::endpoint::Protocol;
use domain::link_token::LinkKey;
use domain::subscription::Subscription;
use sqlite::simulation::{self, Disk};
use sqlite::{Options, Store};

use crate::receivers::Channels;
use crate::tasks::Tasks;

/// A running program.
pub(crate) struct Process {
    pub(crate) store: simulation::Process,
    pub(crate) app: App,
    pub(crate) own: OwnDelivery,
    pub(crate) engine: Engine,
    pub(crate) relay: Relay,
    pub(crate) tasks: Tasks<Told>,
    /// Notes that wait for the one before them.
    pub(crate) notes: VecDeque<Note>,
    pub(crate) noting: bool,
    pub(crate) stage: Stage,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Starting,
    Up,
    Draining,
}

/// What a task came to.
#[derive(Debug)]
pub(crate) enum Told {
    /// The past is settled.
    Started(Result<(), Error>),
    /// The store rang: orders were stored.
    Stored,
    /// The store rang: deliveries may be due.
    Owed,
    /// The store rang: endpoints are no longer to be left alone.
    Hurried,
    /// The store can acknowledge nothing more.
    StoreFailed,
    Relay(RelayEvent),
    Engine(Event),
    Noted,
    Escalated(Result<Escalated, Error>),
    Noticed(Result<usize, Error>),
    Reexamined(Result<usize, Error>),
    Placed {
        client: usize,
        request: String,
        answer: Result<Placed, Error>,
    },
    Subscribed(Result<SubscribeAnswer, Error>),
    Changed(&'static str, Result<Subscription, Error>),
    /// What a person gave up is cancelled.
    Dropped(Result<usize, Error>),
    /// Something that tells no more than whether it was done.
    Done(Result<(), Error>),
}

/// A pause to be noted, with its reason; or its end.
pub(crate) type Note = (Protocol, Option<String>);

/// Which protocols' messages leave the machine.
pub(crate) type Modes = BTreeMap<Protocol, ChannelMode>;

pub(crate) const LINK_KEY: [u8; 64] = [7; 64];
pub(crate) const KEY_LIFETIME: Duration = Duration::from_hours(24);
/// So few that stories move them to the disk.
const KEYS_IN_MEMORY: usize = 3;

impl Process {
    /// Starts on what the last process left.
    pub(crate) fn start(
        disk: Disk,
        waiting_orders: usize,
        (channels, modes): (Channels, &Modes),
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self> {
        let options = Options {
            waiting_orders,
            keys_in_memory: KEYS_IN_MEMORY,
            ..Options::new(Arc::clone(&clock), Arc::clone(&randomness))
        };
        let process = simulation::Process::start(disk, options)?;
        let store = process.store();
        let own = own_delivery(&store, modes.clone());
        let app = App {
            orders: Arc::new(store.clone()),
            subscriptions: Arc::new(store.clone()),
            own_delivery: Some(own.clone()),
            clock,
            randomness,
            idempotency_lifetime: KEY_LIFETIME,
        };
        let mut tasks = Tasks::new();
        let failing = store.clone();
        tasks.spawn("watch the store", async move {
            failing.failed().await;
            Told::StoreFailed
        });
        tasks.spawn("settle the past", settle(app.clone(), own.clone(), store, channels));
        let (engine, relay) = (Engine::new(channels), Relay::default());
        let (notes, noting, stage) = (VecDeque::new(), false, Stage::Starting);
        Ok(Self { store: process, app, own, engine, relay, tasks, notes, noting, stage })
    }

    /// Whether the process is done with everything and can end in good order.
    pub(crate) fn is_drained(&self) -> bool {
        self.stage == Stage::Draining && self.engine.is_idle() && !self.store.has_work()
    }
}

fn own_delivery(store: &Store, channels: Modes) -> OwnDelivery {
    OwnDelivery {
        subscriptions: Arc::new(store.clone()),
        deliveries: Arc::new(store.clone()),
        spam: Arc::new(store.clone()),
        inbox: Arc::new(store.clone()),
        channels,
        endpoint_rule: Arc::new(|_| Ok(())),
        links: Links { key: LinkKey::new(LINK_KEY), public_url: "https://orders.example".to_owned() },
    }
}

/// What the host does before anything new happens.
async fn settle(app: App, own: OwnDelivery, store: Store, channels: Channels) -> Told {
    let policies = channels.iter().map(|(protocol, rules)| (*protocol, rules.on_unknown)).collect();
    Told::Started(startup_recovery(&own, &store, &policies, &*app.clock, &*app.randomness).await)
}
