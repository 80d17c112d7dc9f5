//! The world around the program: time that passes step by step, people, receivers, and everything that goes wrong.

mod actions;
mod crash;
mod damage;
mod delivering;
mod healing;
mod orders;
mod rate_limits;
mod spam;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use application::ChannelMode;
use application::ports::{Clock, Message, Sent};
use domain::attempt::Outcome;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::receipt::Receipt;
use domain::subscription::SubscriptionId;
use host::SetClock;
use sqlite::simulation::Disk;
use tracing::dispatcher::{Dispatch, with_default};

use crate::channel::{Answer, Reply};
use crate::coverage::Coverage;
use crate::facts::Facts;
use crate::ledger::{self, Entry};
use crate::log::Log;
use crate::process::{Modes, Process};
use crate::receivers::{Channels, Receiver, channels};
use crate::rng::{SeededRandomness, SeededRng};
use crate::scenario::{Action, Scenario};
use crate::simulated_runtime::shown;
use damage::Damage;
use orders::Client;
use rate_limits::LastBegun;

/// What the clock on the wall shows when a world begins, in seconds since 1970: 2026-03-01T12:00:00Z.
const START: i64 = 1_772_366_400;

/// The world of one seed.
pub(crate) struct World<'a> {
    rng: SeededRng,
    scenario: Scenario,
    /// Passes with the other one, and is never set.
    steady: Arc<SetClock>,
    /// The clock on the wall, from which the program reads the time, and which someone sets now and then.
    clock: Arc<SetClock>,
    randomness: Arc<SeededRandomness>,
    coming: BTreeMap<(Duration, u64), ScheduledEvent>,
    planned: u64,
    /// While no process runs.
    disk: Option<Disk>,
    process: Option<Process>,
    channels: Channels,
    modes: Modes,
    receivers: Vec<Receiver>,
    down: BTreeSet<Protocol>,
    /// How many attempts more fail over a channel because this machine lacks what they take.
    lacking: BTreeMap<Protocol, usize>,
    /// What is damaged on the disk, the first first.
    damaged: Vec<Damage>,
    clients: Vec<Client>,
    in_flight: BTreeMap<DeliveryId, InFlight>,
    probing: BTreeMap<Protocol, Reply<Result<(), Outcome>>>,
    /// What goes to the sandbox inbox, and is read once it is there.
    to_sandbox: BTreeMap<DeliveryId, (Message, SubscriptionId)>,
    last_begun: LastBegun,
    /// Until when a program that was asked to end may wait for what is in flight.
    grace_ends: Duration,
    /// Nothing goes wrong any more.
    healed: bool,
    facts: Facts,
    /// The ledger's last entry that was read.
    last_entry: i64,
    steps: u64,
    coverage: &'a mut Coverage,
    log: Arc<Log>,
    trace: Option<Vec<String>>,
}

/// Something that will happen.
#[derive(Debug)]
enum ScheduledEvent {
    Action(Action),
    Start,
    PlaceOrder(usize),
    Confirm {
        token: String,
        subscription: SubscriptionId,
        proven: bool,
    },
    Unsubscribe {
        token: String,
    },
    /// A message reaches its receiver; nobody waits for the answer if the process died.
    Arrive {
        message_in_transit: Box<MessageInTransit>,
        awaited: bool,
    },
    Answer(DeliveryId, Answer<Sent>),
    ProbeAnswer(Protocol, Answer<Result<(), Outcome>>),
    /// The provider reports what became of a message.
    Receipt {
        delivery: DeliveryId,
        attempt: u32,
        receipt: Receipt,
    },
    TellOperators,
    Reexamine,
    /// Whoever runs the program waits no longer for its end.
    LongestEnd,
}

/// An attempt that its channel makes.
#[derive(Debug)]
struct InFlight {
    protocol: Protocol,
    subscription: SubscriptionId,
    reply: Reply<Sent>,
}

/// A message on its way.
#[derive(Debug)]
struct MessageInTransit {
    message: Message,
    number: u32,
    subscription: SubscriptionId,
}

/// A run that kept every promise.
pub(crate) struct RunReport {
    /// With all that is on it.
    pub(crate) disk: Option<Disk>,
    pub(crate) steps: u64,
    /// What happened, if that was wanted.
    pub(crate) trace: Vec<String>,
}

/// A broken promise.
#[derive(Debug)]
pub(crate) struct Violation {
    step: u64,
    why: String,
    /// What happened up to it, if that was wanted.
    pub(crate) trace: Option<Vec<String>>,
}

/// No world takes more steps than this, though its program dies thousands of times while an endpoint fails for days; nor,
/// where hundreds subscribe, than so many for each endpoint.
const MOST_STEPS: u64 = 200_000;
const STEPS_PER_ENDPOINT: u64 = 3_000;
/// So many endpoints are hundreds.
const CROWD: usize = 200;

impl<'a> World<'a> {
    pub(crate) fn new(
        (scenario, mut rng): (Scenario, SeededRng),
        disk: Disk,
        coverage: &'a mut Coverage,
        traced: bool,
    ) -> Self {
        let randomness = Arc::new(rng.randomness());
        let receivers = (0..scenario.endpoints).map(|number| Receiver::new(number, &mut rng)).collect();
        let in_sandbox = |protocol| scenario.sandbox && matches!(protocol, Protocol::Email | Protocol::Sms);
        let mode = |protocol| if in_sandbox(protocol) { ChannelMode::Sandbox } else { ChannelMode::Live };
        let channels = channels(scenario.texts);
        let modes = channels.iter().map(|(protocol, _)| (*protocol, mode(*protocol))).collect();
        let mut world = Self {
            rng,
            scenario,
            steady: Arc::new(SetClock::at_second(0)),
            clock: Arc::new(SetClock::at_second(START)),
            randomness,
            coming: BTreeMap::new(),
            planned: 0,
            disk: Some(disk),
            process: None,
            channels,
            modes,
            receivers,
            down: BTreeSet::new(),
            lacking: BTreeMap::new(),
            damaged: Vec::new(),
            clients: Vec::new(),
            in_flight: BTreeMap::new(),
            probing: BTreeMap::new(),
            to_sandbox: BTreeMap::new(),
            last_begun: LastBegun::default(),
            grace_ends: Duration::ZERO,
            healed: false,
            facts: Facts::default(),
            last_entry: 0,
            steps: 0,
            coverage,
            log: Log::new(traced),
            trace: traced.then(Vec::new),
        };
        if world.receivers.len() >= CROWD {
            world.coverage.happened("worlds of hundreds of endpoints");
        }
        world.plan(Duration::ZERO, ScheduledEvent::Start);
        for (at, action) in std::mem::take(&mut world.scenario.actions) {
            world.plan(at, ScheduledEvent::Action(action));
        }
        world
    }

    /// Lets everything happen, heals the world, and sees whether every promise was kept.
    pub(crate) fn run(mut self) -> Result<RunReport, Violation> {
        let log = Dispatch::new(Arc::clone(&self.log));
        let end = with_default(&log, || self.run_to_the_end())
            .and_then(|()| Ok(self.process.take().context("no process runs")?.store.die()?));
        self.coverage.steps += self.steps;
        let trace = self.trace;
        match end {
            Ok(disk) => {
                Ok(RunReport { disk: Some(disk), steps: self.steps, trace: trace.unwrap_or_default() })
            }
            Err(why) => Err(Violation { step: self.steps, why: format!("{why:#}"), trace }),
        }
    }

    fn run_to_the_end(&mut self) -> Result<()> {
        while self.coming.values().any(|event| matches!(event, ScheduledEvent::Action(_))) {
            self.step()?;
        }
        self.heal()
    }

    fn plan(&mut self, delay: Duration, event: ScheduledEvent) {
        self.planned += 1;
        self.coming.insert((self.elapsed() + delay, self.planned), event);
    }

    fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().context("no process runs")
    }

    fn pass(&mut self, time: Duration) {
        self.steady.advance(time);
        self.clock.advance(time);
    }

    /// How long it is since the world began.
    fn elapsed(&self) -> Duration {
        shown(&self.steady)
    }

    /// Reads what SQLite recorded since the last look, and holds the promises against it.
    fn learn(&mut self) -> Result<()> {
        let last = &mut self.last_entry;
        let look = |connection: &_| ledger::read(connection, last);
        let entries =
            self.process.as_ref().and_then(|process| process.store.look(look)).context("no store")??;
        if self.trace.is_some() {
            for entry in &entries {
                self.say(|| format!("  on disk: {entry:?}"));
            }
        }
        if !entries.is_empty() {
            self.facts.learn(&entries, self.clock.now().as_microsecond(), self.coverage)?;
            self.rates_are_kept(&entries)?;
            let process = self.process.as_ref().filter(|_| entries.iter().any(Entry::may_escalate));
            if let Some(process) = process {
                process.runtime.something_changed(&mut self.rng);
            }
            self.note_state();
            self.look_for_news();
        }
        for entry in entries {
            if let Entry::Kept { id } = entry
                && let Some((message, subscription)) = self.to_sandbox.remove(&id)
            {
                self.read_message(&message, subscription, false);
            }
        }
        Ok(())
    }

    /// Hears what the program logged. Without trouble nothing fails inside.
    fn hear(&mut self) -> Result<()> {
        for line in self.log.take() {
            let trouble = self.scenario.store_trouble > 0;
            ensure!(trouble || !line.is_failure(), "an error without a cause: {}", line.words);
            self.say(|| format!("  {}: {}", line.level, line.words));
        }
        Ok(())
    }

    fn note_state(&mut self) {
        let Some(process) = &self.process else { return };
        self.coverage.state((process.stage, &process.breakers, self.facts.digest()));
    }

    fn say(&mut self, what: impl FnOnce() -> String) {
        let (step, at) = (self.steps, self.elapsed().as_secs_f64());
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{step:>6} {at:>14.6} s  {}", what()));
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: {}", self.step, self.why)
    }
}
