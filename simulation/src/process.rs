//! One life of the program: the real store, use cases and drivers, wired up as the server wires them.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use anyhow::Result;
use application::deliver::{BreakerState, Engine};
use application::orders::Placed;
use application::ports::{Channel, ChannelRules, Clock, Randomness, Sent};
use application::startup_recovery;
use application::subscriptions::SubscribeAnswer;
use application::templates::TemplateBook;
use application::{App, ChannelMode, Error, Links, LocalDelivery};
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::link_token::LinkKey;
use domain::subscription::Subscription;
use driver::{DeliveryDriver, Runtime, run_escalation, run_relay};
use futures_util::FutureExt;
use host::SetClock;
use sqlite::simulation::{self, Disk};
use sqlite::{Options, Store};
use tokio::sync::watch;

use crate::channel::{Call, SimulatedChannel};
use crate::receivers::Channels;
use crate::simulated_runtime::SimulatedRuntime;
use crate::tasks::Tasks;

/// A running program.
pub(crate) struct Process {
    pub(crate) store: simulation::Process,
    pub(crate) app: App,
    pub(crate) tasks: Tasks<TaskOutput>,
    pub(crate) runtime: SimulatedRuntime,
    pub(crate) stage: Stage,
    /// What its channels are asked.
    pub(crate) calls: Receiver<Call>,
    /// How its channels' circuit breakers stood, after each event.
    pub(crate) breaker_reports: Receiver<Breakers>,
    /// How they stand.
    pub(crate) breakers: Breakers,
    /// The drivers, and what they have under way.
    pub(crate) driven: usize,
    own: LocalDelivery,
    stop: watch::Sender<bool>,
    talk: Talk,
}

/// How channels' circuit breakers stand.
pub(crate) type Breakers = Vec<(Protocol, BreakerState)>;

/// The program's ends of what it tells the world.
type Talk = (Sender<Call>, Sender<Breakers>);

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Starting,
    Up,
    Draining,
}

/// What a task came to.
#[derive(Debug)]
pub(crate) enum TaskOutput {
    /// The past is settled.
    Started(Result<(), Error>),
    /// The store can acknowledge nothing more.
    StoreFailed,
    /// A driver came to its end.
    Ended(&'static str),
    /// A driver panicked.
    BrokeOff(&'static str),
    /// What a driver had under way is over.
    Over,
    /// The sandbox kept a message, or could not.
    Kept(DeliveryId, Sent),
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

/// Which protocols' messages leave the machine.
pub(crate) type Modes = BTreeMap<Protocol, ChannelMode>;

pub(crate) const LINK_KEY: [u8; 64] = [7; 64];
pub(crate) const KEY_LIFETIME: Duration = Duration::from_hours(24);
/// So few that runs move them to the disk.
const KEYS_IN_MEMORY: usize = 3;

impl Process {
    /// Starts on what the last process left.
    pub(crate) fn start(
        disk: Disk,
        waiting_orders: usize,
        (channels, modes): (Channels, &Modes),
        clock: Arc<dyn Clock>,
        steady: Arc<SetClock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self> {
        let options = Options {
            waiting_orders,
            keys_in_memory: KEYS_IN_MEMORY,
            ..Options::new(Arc::clone(&clock), Arc::clone(&randomness))
        };
        let process = simulation::Process::start(disk, options)?;
        let store = process.store();
        let own = local_delivery(&store, modes.clone());
        let app = App {
            orders: Arc::new(store.clone()),
            subscriptions: Arc::new(store.clone()),
            local_delivery: Some(own.clone()),
            clock,
            randomness,
            idempotency_lifetime: KEY_LIFETIME,
            shop: Arc::default(),
            templates: Arc::new(TemplateBook::new(Arc::new(store.clone()))),
        };
        let mut tasks = Tasks::new();
        let failing = store.clone();
        tasks.spawn("watch the store", async move {
            failing.failed().await;
            TaskOutput::StoreFailed
        });
        tasks.spawn("settle the past", settle(app.clone(), own.clone(), store, channels));
        let (call, calls) = channel();
        let (report, breaker_reports) = channel();
        let (stop, _) = watch::channel(false);
        Ok(Self {
            store: process,
            app,
            tasks,
            runtime: SimulatedRuntime::new(steady),
            stage: Stage::Starting,
            calls,
            breaker_reports,
            breakers: Breakers::new(),
            driven: 0,
            own,
            stop,
            talk: (call, report),
        })
    }

    /// Starts its drivers, as the server does.
    pub(crate) fn work(&mut self, channels: Channels) {
        self.stage = Stage::Up;
        let store = Arc::new(self.store.store());
        let signals = store.signals();
        let runtime: Arc<dyn Runtime> = Arc::new(self.runtime.clone());
        let clock = Arc::clone(&self.app.clock);
        let (call, report) = self.talk.clone();
        let watch = move |engine: &Engine| drop(report.send(engine.breaker_states().collect()));
        let delivery = DeliveryDriver {
            queue: Arc::<Store>::clone(&store),
            channels: channels.map(|channel| simulated(channel, &call)).into(),
            links: self.own.links.clone(),
            shop: Arc::clone(&self.app.shop),
            templates: Arc::clone(&self.app.templates),
            clock: Arc::clone(&clock),
            randomness: Arc::clone(&self.app.randomness),
            pending: signals.deliveries,
            pauses_lifted: signals.pauses_lifted,
            runtime: Arc::clone(&runtime),
            watch: Arc::new(watch),
        };
        let topic = Arc::<Store>::clone(&store);
        let log = Arc::<Store>::clone(&store);
        self.drive("the relay", run_relay(log, topic, signals.orders, runtime, self.stop.subscribe()));
        self.drive("the delivery engine", delivery.run(self.stop.subscribe()));
        let runtime = Arc::new(self.runtime.looking_after_changes());
        self.drive("escalation", run_escalation(store, clock, runtime, self.stop.subscribe()));
    }

    fn drive(&mut self, name: &'static str, driver: impl Future<Output = ()> + Send + 'static) {
        self.driven += 1;
        self.tasks.spawn(name, async move {
            let ended = AssertUnwindSafe(driver).catch_unwind().await;
            if ended.is_ok() { TaskOutput::Ended(name) } else { TaskOutput::BrokeOff(name) }
        });
    }

    /// Takes in what its drivers want done beside them.
    pub(crate) fn take_spawned(&mut self) {
        for (name, work) in self.runtime.take_spawned() {
            self.driven += 1;
            self.tasks.spawn(name, async move {
                work.await;
                TaskOutput::Over
            });
        }
    }

    /// Tells it to end.
    pub(crate) fn stop(&mut self) {
        self.stage = Stage::Draining;
        self.stop.send_replace(true);
    }

    /// Whether the process is done with everything and can end in good order.
    pub(crate) fn is_drained(&self) -> bool {
        self.stage == Stage::Draining && self.driven == 0 && !self.store.has_work()
    }
}

fn simulated(
    (protocol, rules): (Protocol, ChannelRules),
    calls: &Sender<Call>,
) -> (Protocol, Arc<dyn Channel>) {
    (protocol, Arc::new(SimulatedChannel { protocol, rules, calls: calls.clone() }))
}

fn local_delivery(store: &Store, channels: Modes) -> LocalDelivery {
    LocalDelivery {
        subscriptions: Arc::new(store.clone()),
        deliveries: Arc::new(store.clone()),
        spam: Arc::new(store.clone()),
        statuses: Arc::new(store.clone()),
        inbox: Arc::new(store.clone()),
        channels,
        endpoint_rule: Arc::new(|_| Ok(())),
        links: Links { key: LinkKey::new(LINK_KEY), public_url: "https://orders.example".to_owned() },
    }
}

/// What the host does before anything new happens.
async fn settle(app: App, own: LocalDelivery, store: Store, channels: Channels) -> TaskOutput {
    let policies = channels.iter().map(|(protocol, rules)| (*protocol, rules.on_unknown)).collect();
    TaskOutput::Started(startup_recovery(&own, &store, &policies, &*app.clock, &*app.randomness).await)
}
