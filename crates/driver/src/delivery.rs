//! Drives the delivery engine: does what it asks for, and tells it what came of that.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use application::deliver::{Action, Engine, Event, compose};
use application::ports::{Channel, Clock, Content, DeliveryQueue, Message, Randomness, Sent};
use application::templates::TemplateBook;
use application::{Error, Links};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::Protocol;
use domain::shop::Shop;
use futures_util::FutureExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, oneshot};

use super::{Runtime, Stop, stopped, until};

/// How long attempts in flight may take to end once the program is to end. What has not ended by then is found at the
/// next start, as `unknown`.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// The longest time without a look at what is due: a net below the signals, and for a clock that was set.
const POLL_INTERVAL: Duration = Duration::from_mins(1);

/// What drives the engine, and what it works with.
pub struct DeliveryDriver {
    /// Where deliveries lie.
    pub queue: Arc<dyn DeliveryQueue>,
    /// What sends them.
    pub channels: BTreeMap<Protocol, Arc<dyn Channel>>,
    /// What links in messages are made of.
    pub links: Links,
    /// Whom messages speak for.
    pub shop: Arc<Shop>,
    /// What orders are told in.
    pub templates: Arc<TemplateBook>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for jitter.
    pub randomness: Arc<dyn Randomness>,
    /// Rung when something became due.
    pub pending: Arc<Notify>,
    /// Rung when endpoints are no longer to be left alone.
    pub pauses_lifted: Arc<Notify>,
    /// Runs its tasks and timers.
    pub runtime: Arc<dyn Runtime>,
    /// Looks at the engine after each event.
    pub watch: Arc<dyn Fn(&Engine) + Send + Sync>,
}

/// What a task came to: an event, nothing that the engine is to be told, or a panic.
type Ended = Result<Option<Event>, Box<dyn Any + Send>>;

impl DeliveryDriver {
    /// Delivers until the program is to end, then finishes or hands back what is in flight. What takes longer than
    /// [`SHUTDOWN_GRACE`] is cancelled.
    pub async fn run(self, mut stop: Stop) {
        let rules = self.channels.iter().map(|(protocol, channel)| (*protocol, channel.rules()));
        let mut engine = Engine::new(rules);
        let (tell, mut told) = unbounded_channel();
        let mut tasks = Tasks { runtime: Arc::clone(&self.runtime), tell, last_note: None };
        self.tell(&mut engine, &mut tasks, Event::Woken);
        loop {
            let event = tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                () = self.pauses_lifted.notified() => Some(Event::PausesLifted),
                () = self.pending.notified() => Some(Event::Woken),
                event = self.next(&engine, &mut told) => event,
            };
            self.tell(&mut engine, &mut tasks, event);
        }
        self.tell(&mut engine, &mut tasks, Event::Drain);
        tokio::select! {
            biased;
            () = self.drain(&mut engine, &mut tasks, &mut told) => {}
            () = self.runtime.sleep(SHUTDOWN_GRACE) => {
                tracing::warn!("attempts were still in flight; their outcome will be unknown");
            }
        }
    }

    async fn drain(&self, engine: &mut Engine, tasks: &mut Tasks, told: &mut UnboundedReceiver<Ended>) {
        while !engine.is_idle() {
            let event = self.next(engine, told).await;
            self.tell(engine, tasks, event);
        }
    }

    /// What comes first: a task's end, or the time at which the engine wants to be woken.
    async fn next(&self, engine: &Engine, told: &mut UnboundedReceiver<Ended>) -> Option<Event> {
        let now = self.clock.now();
        let due_in = engine.wake_at(now).map(|at| until(at, now));
        tokio::select! {
            biased;
            // A defect. What is on disk is right: ending now and starting anew is the safe way on.
            Some(ended) = told.recv() => ended.unwrap_or_else(|panic| resume_unwind(panic)),
            () = self.runtime.sleep_until_due(due_in, POLL_INTERVAL) => Some(Event::Woken),
        }
    }

    fn tell(&self, engine: &mut Engine, tasks: &mut Tasks, event: impl Into<Option<Event>>) {
        let Some(event) = event.into() else { return };
        let actions = engine.on(event, self.clock.now(), self.randomness.jitter());
        (self.watch)(engine);
        for action in actions {
            self.start(action, tasks);
        }
    }

    fn start(&self, action: Action, tasks: &mut Tasks) {
        let queue = Arc::clone(&self.queue);
        let now = self.clock.now();
        match action {
            Action::Fetch(query) => {
                tasks.start("fetch", async move { Event::Fetched(queue.due(query).await) });
            }
            Action::Begin(intents) => {
                tasks.start("begin", async move { Event::Begun(queue.begin(intents).await) });
            }
            Action::Record(finished) => {
                tasks.start("record", async move { Event::Recorded(queue.finish(finished).await) });
            }
            Action::Send(delivery, _) => {
                let template = self.templates.of(delivery.subscription.id, delivery.protocol());
                let message = compose(&self.links, &self.shop, template.as_deref(), &delivery, now);
                tasks.start("send", send(self.channel(delivery.protocol()), message));
            }
            Action::Probe(protocol) => tasks.start("probe", probe(self.channel(protocol), protocol)),
            Action::NotePause(protocol, reason) => {
                tasks.note(async move { queue.channel_paused(protocol, &reason, now).await });
            }
            Action::NoteResume(protocol) => {
                tasks.note(async move { queue.channel_resumed(protocol, now).await });
            }
        }
    }

    fn channel(&self, protocol: Protocol) -> Option<Arc<dyn Channel>> {
        self.channels.get(&protocol).map(Arc::clone)
    }
}

/// What the engine asked for and is under way.
struct Tasks {
    runtime: Arc<dyn Runtime>,
    tell: UnboundedSender<Ended>,
    last_note: Option<oneshot::Receiver<()>>,
}

impl Tasks {
    fn start(&self, name: &'static str, task: impl Future<Output = Event> + Send + 'static) {
        self.spawn(name, async move { Some(task.await) });
    }

    /// Notes are written one after the other, as they came. One that could not be is missing from timelines, no more.
    fn note(&mut self, note: impl Future<Output = Result<(), Error>> + Send + 'static) {
        let (written, next) = oneshot::channel();
        let before = self.last_note.replace(next);
        self.spawn("note", async move {
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

    /// A task ends with whoever would be told what it came to.
    fn spawn(&self, name: &'static str, task: impl Future<Output = Option<Event>> + Send + 'static) {
        let tell = self.tell.clone();
        let task = async move {
            tokio::select! {
                biased;
                () = tell.closed() => {}
                ended = contained(task) => drop(tell.send(ended)),
            }
        };
        self.runtime.spawn(name, Box::pin(task));
    }
}

/// Makes one attempt. Should the channel panic, whether the message went out is unknown.
async fn send(channel: Option<Arc<dyn Channel>>, message: Message) -> Event {
    let Some(channel) = channel else {
        let kind = OutcomeKind::Transient(Scope::Channel);
        return Event::Sent(message.id, Outcome::new(kind, "There is no such channel").into());
    };
    let sent = contained(channel.send(&message)).await;
    let sent = sent.unwrap_or_else(|_| Outcome::new(OutcomeKind::Unknown, "The channel broke off").into());
    Event::Sent(message.id, with_remark(sent, &message.content))
}

/// What an attempt came to, with why the template was not used, if it was not: its reply is all that a timeline tells.
fn with_remark(sent: Sent, content: &Content) -> Sent {
    let Some(why) = content.unwritten() else { return sent };
    let remark = format!("The built-in texts were sent, since of the template {why}");
    Sent { outcome: sent.outcome.with_remark(&remark), ..sent }
}

/// Probes a channel. Should it panic, it does not work.
async fn probe(channel: Option<Arc<dyn Channel>>, protocol: Protocol) -> Event {
    let broke_off = |reply| Err(Outcome::new(OutcomeKind::Transient(Scope::Channel), reply));
    let Some(channel) = channel else {
        return Event::Probed(protocol, broke_off("There is no such channel"));
    };
    let answer = contained(channel.probe()).await;
    Event::Probed(protocol, answer.unwrap_or_else(|_| broke_off("The channel broke off")))
}

/// What work comes to, or the panic that it ended with: that takes nobody else along.
async fn contained<T>(work: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    AssertUnwindSafe(work).catch_unwind().await
}

#[cfg(test)]
mod tests {
    use application::ports::{ChannelRules, Concurrency};
    use async_trait::async_trait;
    use domain::Timestamp;
    use domain::order::{Order, OrderDetails, OrderId};
    use domain::reader::Reader;
    use domain::template::{Template, TemplateSource, Told, Written};

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

    #[tokio::test]
    async fn a_channel_that_panics_at_a_probe_does_not_work_and_ends_nothing() {
        let broken: Arc<dyn Channel> = Arc::new(Broken);
        for (protocol, channel) in [(Protocol::Webhook, Some(broken)), (Protocol::Chat, None)] {
            let Event::Probed(probed, Err(outcome)) = probe(channel, protocol).await else { panic!() };
            assert_eq!((probed, outcome.kind), (protocol, OutcomeKind::Transient(Scope::Channel)));
        }
    }
    #[test]
    fn an_attempt_tells_that_the_template_was_not_used_and_why() {
        let details =
            OrderDetails::parse(br#"{"customerName": "Jo", "productName": "Mouse", "a": 1}"#).unwrap();
        let (id, time) = (OrderId::new(Timestamp::UNIX_EPOCH, [1; 10]), Timestamp::UNIX_EPOCH);
        let order = Order { id, time, details, request_id: String::new() };
        let long = format!("!{{{{#extra.a}}}}{}{{{{/extra.a}}}}", "{{text}}".repeat(300));
        let source = TemplateSource { text: Some(long), ..TemplateSource::default() };
        let template = Template::parse(source, Protocol::Chat).unwrap();
        let (reader, shop) = (Reader::default(), Shop::default());
        let told = Told { order: &order, reader: &reader, shop: &shop, order_url: None, unsubscribe_url: "" };
        let sent = |written| {
            let (order, unsubscribe_url) = (Arc::new(order.clone()), String::new());
            let content = Content::Notification { order, order_url: None, unsubscribe_url, written };
            let taken = Outcome::new(OutcomeKind::Delivered, "200 OK ok").with_status(200_u16);
            with_remark(taken.into(), &content).outcome
        };
        let outcome = sent(template.render(&told));
        let said = "The built-in texts were sent, since of the template its text would have more than 16000 bytes; 200 OK ok";
        assert_eq!(
            (outcome.kind, outcome.status, &*outcome.reply),
            (OutcomeKind::Delivered, Some(200), said)
        );
        assert_eq!(sent(Ok(Written::default())).reply, "200 OK ok");
    }
}
