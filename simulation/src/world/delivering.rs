//! The engine's shell, and what becomes of the messages that it sends.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use application::deliver::{Action, Event, compose};
use application::ports::{
    Clock, Content, DeliveryQueue, DueDelivery, Escalated, Inbox, InboxMessage, Message, Randomness, Sent,
};
use application::receipts;
use application::{ChannelMode, Error};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::receipt::{Receipt, ReceiptStatus};
use domain::subscription::SubscriptionId;

use super::{Envelope, Happening, World};
use crate::process::{Stage, Told};
use crate::receivers::OWN_WANT;

/// How long a message takes to its receiver, at most.
const WAY: Duration = Duration::from_millis(40);

impl World<'_> {
    pub(super) fn tell(&mut self, event: Event) -> Result<()> {
        let now = self.clock.now();
        let randomness: &dyn Randomness = &*self.randomness;
        let chance = randomness.chance();
        let engine = &mut self.process.as_mut().context("no engine runs")?.engine;
        let before: Vec<_> = engine.breaker_states().collect();
        let actions = engine.on(event, now, chance);
        for ((_, was), (_, becomes)) in before.into_iter().zip(engine.breaker_states()) {
            self.coverage.channel(was, becomes)?;
        }
        actions.into_iter().try_for_each(|action| self.act(action))
    }

    fn act(&mut self, action: Action) -> Result<()> {
        self.say(|| format!("  the engine: {action:?}"));
        let process = self.process()?;
        let queue = process.store.store();
        match action {
            Action::Fetch(query) => process
                .tasks
                .spawn("fetch", async move { Told::Engine(Event::Fetched(queue.due(query).await)) }),
            Action::Begin(intents) => {
                self.rates_are_kept(&intents)?;
                let begin = async move { Told::Engine(Event::Begun(queue.begin(intents).await)) };
                self.process()?.tasks.spawn("begin", begin);
            }
            Action::Record(finished) => process
                .tasks
                .spawn("record", async move { Told::Engine(Event::Recorded(queue.finish(finished).await)) }),
            Action::Send(delivery, number) => self.send(&delivery, number)?,
            Action::Probe(protocol) => self.probe(protocol),
            Action::NotePause(protocol, reason) => self.note(protocol, Some(reason))?,
            Action::NoteResume(protocol) => self.note(protocol, None)?,
        }
        Ok(())
    }

    /// Rung when something became due.
    pub(super) fn follow_deliveries(&mut self) -> Result<()> {
        let process = self.process()?;
        let owed = Arc::clone(&process.store.store().signals().deliveries);
        process.tasks.spawn("wait for deliveries", async move {
            owed.notified().await;
            Told::Owed
        });
        Ok(())
    }

    /// Rung when endpoints are no longer to be left alone.
    pub(super) fn follow_hurry(&mut self) -> Result<()> {
        let process = self.process()?;
        let hurried = Arc::clone(&process.store.store().signals().hurried);
        process.tasks.spawn("wait for hurry", async move {
            hurried.notified().await;
            Told::Hurried
        });
        Ok(())
    }

    fn send(&mut self, delivery: &DueDelivery, number: u32) -> Result<()> {
        let (protocol, subscription) = (delivery.protocol(), delivery.subscription.id);
        let in_sandbox = self.modes[&protocol] == ChannelMode::Sandbox;
        self.promises.sent(delivery.id, number, in_sandbox)?;
        self.in_flight.insert(delivery.id, (protocol, subscription));
        self.limits_are_kept(protocol)?;
        let now = self.clock.now();
        let message = compose(&self.process()?.own.links, delivery, now);
        ensure!(message.id == delivery.id, "a repeat would not carry its id");
        if in_sandbox {
            return self.keep_in_sandbox(&message, subscription);
        }
        let envelope = Box::new(Envelope { message, number, subscription });
        let way = self.dice.up_to(WAY);
        self.plan(way, Happening::Arrive { envelope, awaited: true });
        Ok(())
    }

    fn limits_are_kept(&self, protocol: Protocol) -> Result<()> {
        let limits =
            self.channels.iter().find(|(channel, _)| *channel == protocol).context("no such channel")?.1;
        let over: Vec<_> = self.in_flight.values().filter(|(channel, _)| *channel == protocol).collect();
        let limits = limits.concurrency;
        ensure!(over.len() <= limits.channel, "too much goes over {protocol} at once");
        let most = over.iter().map(|one| over.iter().filter(|other| other.1 == one.1).count()).max();
        ensure!(most.unwrap_or(0) <= limits.endpoint, "too much goes to one endpoint at once");
        Ok(())
    }

    fn keep_in_sandbox(&mut self, message: &Message, subscription: SubscriptionId) -> Result<()> {
        self.to_sandbox.insert(message.id, (message.clone(), subscription));
        let kept = InboxMessage::of(message);
        let id = message.id;
        let process = self.process()?;
        let inbox = process.store.store();
        process.tasks.spawn("keep in the sandbox", async move {
            let kind = match inbox.keep(kept).await {
                Ok(()) => OutcomeKind::Sandboxed,
                Err(_) => OutcomeKind::Transient(Scope::Channel),
            };
            let sent = Sent::from(Outcome::new(kind, "sandbox"));
            Told::Engine(Event::Sent(id, sent))
        });
        Ok(())
    }

    /// A message is where it goes.
    pub(super) fn arrive(&mut self, envelope: &Envelope, awaited: bool) -> Result<()> {
        let Envelope { message, number, subscription } = envelope;
        let protocol = message.endpoint.protocol();
        if let Some(left) = self.lacking.get_mut(&protocol).filter(|left| **left > 0) {
            *left -= 1;
            self.coverage.happened("attempts without a file descriptor");
            let sent = Sent::from(Outcome::new(OutcomeKind::Transient(Scope::Channel), OWN_WANT));
            self.answer(message, sent, WAY, awaited);
            return Ok(());
        }
        if self.down.contains(&protocol) {
            let kind = self.dice.pick(&[
                OutcomeKind::Transient(Scope::Channel),
                OutcomeKind::Throttled { scope: Scope::Channel, retry_after: None },
            ]);
            let sent = Sent::from(Outcome::new(kind, "down"));
            self.answer(message, sent, WAY, awaited);
            return Ok(());
        }
        let receiver = self.receivers.iter().find(|receiver| receiver.endpoint == message.endpoint);
        let reaction = receiver.context("a message to nobody")?.react(&mut self.dice);
        let mut confirmed = false;
        if reaction.arrived {
            self.promises.arrived(message.id, *number)?;
            confirmed = self.read_message(message, *subscription, true);
        }
        if protocol == Protocol::Sms && reaction.arrived {
            self.plan_receipt(message.id, *number);
        }
        let confirmed = confirmed && reaction.outcome.kind == OutcomeKind::Delivered;
        self.answer(message, Sent { outcome: reaction.outcome, confirmed }, reaction.after, awaited);
        Ok(())
    }

    fn answer(&mut self, message: &Message, sent: Sent, after: Duration, awaited: bool) {
        if awaited {
            self.plan(after, Happening::Answer(message.id, sent));
        }
    }

    /// What the owner of an endpoint does with a message; whether a receiver answers its challenge by itself.
    pub(super) fn read_message(
        &mut self,
        message: &Message,
        subscription: SubscriptionId,
        proven: bool,
    ) -> bool {
        match &message.content {
            Content::Confirmation { challenge, .. } => {
                if !self.healed && self.dice.percent(20) {
                    return false;
                }
                if message.endpoint.protocol() == Protocol::Webhook {
                    self.promises.consented(subscription, proven);
                    return true;
                }
                let hours = if self.healed { 0 } else { self.dice.pick(&[0, 0, 0, 1, 47, 50]) };
                let after = Duration::from_hours(hours) + self.dice.up_to(Duration::from_secs(30));
                self.plan(after, Happening::Confirm { token: challenge.clone(), subscription, proven });
            }
            Content::Notification { unsubscribe_url, .. } => {
                if !self.healed && self.dice.percent(3) {
                    let token = unsubscribe_url.rsplit_once('=').map(|(_, token)| token.to_owned());
                    let after = self.dice.up_to(Duration::from_secs(30));
                    self.plan(after, Happening::Unsubscribe { token: token.unwrap_or_default() });
                }
            }
            Content::Notice { .. } | Content::Test => {}
        }
        false
    }

    /// Providers of text messages report later what became of them, and sometimes before they answer.
    fn plan_receipt(&mut self, delivery: DeliveryId, attempt: u32) {
        let most = self.dice.pick(&[1, 60, 3_600]);
        let after = self.dice.up_to(Duration::from_secs(most));
        let failed = !self.healed && self.dice.percent(25);
        let status = if failed { ReceiptStatus::Failed } else { ReceiptStatus::Delivered };
        let opted_out = failed && self.dice.percent(10);
        let receipt = Receipt { opted_out, ..Receipt::new(status, "reported") };
        if failed && self.dice.percent(10) {
            let receipt = Receipt::new(ReceiptStatus::Delivered, "corrected");
            self.plan(after + after, Happening::Receipt { delivery, attempt, receipt });
        }
        if self.dice.percent(60) {
            self.plan(after, Happening::Receipt { delivery, attempt, receipt });
        }
    }

    /// A provider calls back; it calls again as long as nobody answers.
    pub(super) fn report(&mut self, delivery: DeliveryId, attempt: u32, receipt: Receipt) -> Result<()> {
        if receipt.status == ReceiptStatus::Failed {
            self.promises.bounced(delivery)?;
        }
        self.ask("record a receipt", |app| async move {
            Told::Done(receipts::record(&app, delivery, attempt, receipt).await)
        });
        Ok(())
    }

    /// The host's worker that escalates: at its start, when deliveries are owed, and when the next one is due.
    pub(super) fn escalate(&mut self) -> Result<()> {
        let now = self.clock.now();
        let process = self.process()?;
        let queue = process.store.store();
        process.tasks.spawn("escalate", async move { Told::Escalated(queue.escalate(now).await) });
        Ok(())
    }

    pub(super) fn escalated(&mut self, escalated: Result<Escalated, Error>) -> Result<()> {
        let now = self.clock.now();
        let next = match escalated {
            Ok(escalated) => {
                escalated.next_at.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default())
            }
            Err(error) => {
                self.expect_trouble(&error)?;
                Some(Duration::from_secs(1))
            }
        };
        self.coming.retain(|_, happening| !matches!(happening, Happening::Escalate));
        if let Some(after) = next {
            self.plan(after, Happening::Escalate);
        }
        Ok(())
    }

    /// The host's worker that tells operators: at its start, and while something is noted that it has not told.
    pub(super) fn notify_operators(&mut self) -> Result<()> {
        let now = self.clock.now();
        let process = self.process()?;
        let queue = process.store.store();
        process
            .tasks
            .spawn("tell operators", async move { Told::Noticed(queue.notify_operators(now).await) });
        Ok(())
    }

    pub(super) fn operators_told(&mut self, error: Option<&Error>) -> Result<()> {
        self.look_for_news();
        self.answered(error)
    }

    /// Sees to it that what is noted will be told.
    pub(super) fn look_for_news(&mut self) {
        let planned = self.coming.values().any(|happening| matches!(happening, Happening::TellOperators));
        let up = self.process.as_ref().is_some_and(|process| process.stage != Stage::Starting);
        if up && !planned && self.promises.is_something_to_tell() {
            let after = self.dice.up_to(Duration::from_mins(10));
            self.plan(after, Happening::TellOperators);
        }
    }

    fn probe(&mut self, protocol: Protocol) {
        let down = self.down.contains(&protocol);
        let failure = Outcome::new(OutcomeKind::Transient(Scope::Channel), "down");
        let after = self.dice.up_to(WAY);
        self.plan(after, Happening::ProbeAnswer(protocol, if down { Err(failure) } else { Ok(()) }));
    }

    fn note(&mut self, protocol: Protocol, reason: Option<String>) -> Result<()> {
        let process = self.process()?;
        process.notes.push_back((protocol, reason));
        if process.noting { Ok(()) } else { self.note_next() }
    }

    /// Notes are written one after the other.
    pub(super) fn note_next(&mut self) -> Result<()> {
        let now = self.clock.now();
        let process = self.process()?;
        let note = process.notes.pop_front();
        process.noting = note.is_some();
        if let Some((protocol, reason)) = note {
            let queue = process.store.store();
            process.tasks.spawn("note", async move {
                // One that could not be written is missing from timelines, no more.
                let _ = match reason {
                    Some(reason) => queue.channel_paused(protocol, &reason, now).await,
                    None => queue.channel_resumed(protocol, now).await,
                };
                Told::Noted
            });
        }
        Ok(())
    }
}
