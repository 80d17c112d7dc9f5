//! The shell around the delivery engine: does what it asks, tells it what came of that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use application::deliver::{Action, Engine, Event, compose};
use application::ports::{Channel, Clock, DeliveryQueue, DueDelivery, Randomness, Sent};
use application::{Error, Links};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::Protocol;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use super::{Stop, stopped};

/// How long attempts in flight may take to end once the program is to end. What has not ended by then is found at the
/// next start, as `unknown`.
const GRACE: Duration = Duration::from_secs(10);
/// The longest time without a look at what is due: a net below the signals, and for a clock that was set.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// What the shell works with.
pub(crate) struct DeliveryWorker {
    /// Where deliveries lie.
    pub(crate) queue: Arc<dyn DeliveryQueue>,
    /// What sends them.
    pub(crate) channels: BTreeMap<Protocol, Arc<dyn Channel>>,
    /// What links in messages are made of.
    pub(crate) links: Links,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Chance, for jitter.
    pub(crate) randomness: Arc<dyn Randomness>,
    /// Rung when something became due.
    pub(crate) owed: Arc<Notify>,
    /// Rung when endpoints are no longer to be left alone.
    pub(crate) hurried: Arc<Notify>,
}

impl DeliveryWorker {
    /// Delivers until the program ends, then finishes or hands back what is in flight.
    pub(crate) async fn run(self, mut stop: Stop) {
        let rules = self.channels.iter().map(|(protocol, channel)| (*protocol, channel.rules()));
        let mut engine = Engine::new(rules);
        let mut tasks = Tasks::default();
        self.tell(&mut engine, &mut tasks, Event::Woken);
        while !*stop.borrow() {
            let event = tokio::select! {
                event = self.next(&engine, &mut tasks) => event,
                () = self.owed.notified() => Some(Event::Woken),
                () = self.hurried.notified() => Some(Event::Hurried),
                () = stopped(&mut stop) => break,
            };
            self.tell(&mut engine, &mut tasks, event);
        }
        self.tell(&mut engine, &mut tasks, Event::Drain);
        if tokio::time::timeout(GRACE, self.drain(&mut engine, &mut tasks)).await.is_err() {
            tracing::warn!("attempts were still in flight; their outcome will be unknown");
        }
    }

    async fn drain(&self, engine: &mut Engine, tasks: &mut Tasks) {
        while !engine.is_idle() {
            let event = self.next(engine, tasks).await;
            self.tell(engine, tasks, event);
        }
    }

    /// What comes first: a task's end, or the time at which the engine wants to be woken.
    #[expect(clippy::disallowed_methods, reason = "a shell may wait")]
    async fn next(&self, engine: &Engine, tasks: &mut Tasks) -> Option<Event> {
        let now = self.clock.now();
        let rest =
            engine.wake_at(now).map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
        tokio::select! {
            Some(done) = tasks.running.join_next() => match done {
                Ok(event) => event,
                // A defect. What is on disk is right: ending now and starting anew is the safe way on.
                Err(broken) => std::panic::resume_unwind(broken.into_panic()),
            },
            () = tokio::time::sleep(rest.unwrap_or(LONGEST_REST).min(LONGEST_REST)) => Some(Event::Woken),
        }
    }

    fn tell(&self, engine: &mut Engine, tasks: &mut Tasks, event: impl Into<Option<Event>>) {
        let Some(event) = event.into() else { return };
        for action in engine.on(event, self.clock.now(), self.randomness.chance()) {
            self.start(action, tasks);
        }
    }

    fn start(&self, action: Action, tasks: &mut Tasks) {
        let queue = Arc::clone(&self.queue);
        let now = self.clock.now();
        match action {
            Action::Fetch(query) => tasks.spawn(async move { Event::Fetched(queue.due(query).await) }),
            Action::Begin(intents) => tasks.spawn(async move { Event::Begun(queue.begin(intents).await) }),
            Action::Record(finished) => {
                tasks.spawn(async move { Event::Recorded(queue.finish(finished).await) });
            }
            Action::Send(delivery, _) => tasks.spawn(self.send(&delivery)),
            Action::Probe(protocol) => tasks.spawn(self.probe(protocol)),
            Action::NotePause(protocol, reason) => {
                tasks.note(async move { queue.channel_paused(protocol, &reason, now).await });
            }
            Action::NoteResume(protocol) => {
                tasks.note(async move { queue.channel_resumed(protocol, now).await });
            }
        }
    }

    /// Makes one attempt. Should the channel panic, whether the message went out is unknown.
    #[expect(clippy::disallowed_methods, reason = "a task of its own contains a panic")]
    fn send(&self, delivery: &DueDelivery) -> impl Future<Output = Event> + Send + use<> {
        let message = compose(&self.links, delivery, self.clock.now());
        let channel = self.channels.get(&delivery.protocol()).map(Arc::clone);
        let id = delivery.id;
        async move {
            let Some(channel) = channel else {
                return Event::Sent(
                    id,
                    failed(OutcomeKind::Transient(Scope::Channel), "There is no such channel"),
                );
            };
            let attempt = tokio::spawn(async move { channel.send(&message).await });
            Event::Sent(
                id,
                attempt.await.unwrap_or_else(|_| failed(OutcomeKind::Unknown, "The channel broke off")),
            )
        }
    }

    /// Probes a channel. Should it panic, it does not work.
    #[expect(clippy::disallowed_methods, reason = "a task of its own contains a panic")]
    fn probe(&self, protocol: Protocol) -> impl Future<Output = Event> + Send + use<> {
        let channel = self.channels.get(&protocol).map(Arc::clone);
        async move {
            let broke_off = |reply| Err(failed(OutcomeKind::Transient(Scope::Channel), reply).outcome);
            let Some(channel) = channel else {
                return Event::Probed(protocol, broke_off("There is no such channel"));
            };
            let probe = tokio::spawn(async move { channel.probe().await });
            let answer = probe.await.unwrap_or_else(|_| broke_off("The channel broke off"));
            Event::Probed(protocol, answer)
        }
    }
}

/// What the engine asked for and is under way.
#[derive(Default)]
struct Tasks {
    running: JoinSet<Option<Event>>,
    last_note: Option<oneshot::Receiver<()>>,
}

impl Tasks {
    fn spawn(&mut self, task: impl Future<Output = Event> + Send + 'static) {
        self.running.spawn(async move { Some(task.await) });
    }

    /// Notes are written one after the other, as they came. One that could not be is missing from timelines, no more.
    fn note(&mut self, note: impl Future<Output = Result<(), Error>> + Send + 'static) {
        let (written, next) = oneshot::channel();
        let before = self.last_note.replace(next);
        self.running.spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            if let Err(error) = note.await {
                tracing::warn!(%error, cause = error.cause(), "a channel's pause could not be noted");
            }
            let _ = written.send(());
            None
        });
    }
}

fn failed(kind: OutcomeKind, reply: &str) -> Sent {
    Outcome::new(kind, reply).into()
}

#[cfg(test)]
mod tests {
    use application::ports::{ChannelRules, Concurrency, Message};
    use async_trait::async_trait;
    use domain::link_token::LinkKey;
    use host::{SystemClock, SystemRandomness};
    use sqlite::Store;

    use super::*;

    struct Broken;

    #[async_trait]
    impl Channel for Broken {
        fn protocol(&self) -> Protocol {
            Protocol::Webhook
        }

        fn rules(&self) -> ChannelRules {
            ChannelRules::new(Concurrency { channel: 1, endpoint: 1 })
        }

        async fn send(&self, _: &Message) -> Sent {
            panic!("of all things")
        }

        async fn probe(&self) -> Result<(), Outcome> {
            panic!("of all things")
        }
    }

    fn worker(store: &Store) -> DeliveryWorker {
        let links = Links { key: LinkKey::new([3; 64]), public_url: "https://orders.example".to_owned() };
        DeliveryWorker {
            queue: Arc::new(store.clone()),
            channels: BTreeMap::from([(Protocol::Webhook, Arc::new(Broken) as Arc<dyn Channel>)]),
            links,
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            owed: store.signals().deliveries,
            hurried: store.signals().hurried,
        }
    }

    #[tokio::test]
    async fn a_channel_that_panics_at_a_probe_does_not_work_and_ends_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let options = sqlite::Options::new(Arc::new(SystemClock), Arc::new(SystemRandomness));
        let store = Store::open(folder.path(), options).unwrap();
        let worker = worker(&store);
        for protocol in [Protocol::Webhook, Protocol::Chat] {
            let Event::Probed(probed, Err(outcome)) = worker.probe(protocol).await else { panic!() };
            assert_eq!((probed, outcome.kind), (protocol, OutcomeKind::Transient(Scope::Channel)));
        }
        store.close().await;
    }
}
