//! What the program's drivers ask for, and what becomes of the messages that they send.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use application::deliveries;
use application::ports::{Clock, Content, DeliveryQueue, Inbox, InboxMessage, Message, Sent};
use application::{ChannelMode, Error};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::receipt::{Receipt, ReceiptStatus};
use domain::subscription::SubscriptionId;

use super::{InFlight, MessageInTransit, ScheduledEvent, World};
use crate::channel::{Answer, Call, Reply};
use crate::process::{Stage, TaskOutput};
use crate::receivers::OWN_WANT;

/// How long a message takes to its receiver, at most.
const WAY: Duration = Duration::from_millis(40);
/// At how many probes of a hundred a channel panics.
const PANICS: u32 = 5;

impl World<'_> {
    /// Sees to what the program asked for while it had a turn.
    pub(super) fn attend(&mut self) -> Result<()> {
        let process = self.process.as_mut().context("no process runs")?;
        process.take_spawned();
        for becomes in process.breaker_reports.try_iter() {
            for ((_, was), (_, becomes)) in process.breakers.iter().zip(&becomes) {
                self.coverage.transition("channel", was.name(), becomes.name())?;
            }
            process.breakers = becomes;
        }
        let calls: Vec<_> = process.calls.try_iter().collect();
        calls.into_iter().try_for_each(|call| match call {
            Call::Send(message, reply) => self.send(*message, reply),
            Call::Probe(protocol, reply) => {
                self.probe(protocol, reply);
                Ok(())
            }
        })
    }

    fn send(&mut self, message: Message, reply: Reply<Sent>) -> Result<()> {
        let protocol = message.endpoint.protocol();
        let number = message.receipt_url.rsplit_once('=').context("a message without a number")?.1.parse()?;
        self.say(|| format!("  over {protocol}: attempt {number} at {}", message.id));
        let in_sandbox = self.modes[&protocol] == ChannelMode::Sandbox;
        self.facts.sent(message.id, number, in_sandbox)?;
        let delivery = self.facts.delivery(message.id).context("what is not on disk is sent")?;
        let subscription = self.facts.subscriptions[&delivery.subscription].id;
        self.in_flight.insert(message.id, InFlight { protocol, subscription, reply });
        self.limits_are_kept(protocol)?;
        if in_sandbox {
            return self.keep_in_sandbox(&message, subscription);
        }
        let message_in_transit = Box::new(MessageInTransit { message, number, subscription });
        let way = self.rng.up_to(WAY);
        self.plan(way, ScheduledEvent::Arrive { message_in_transit, awaited: true });
        Ok(())
    }

    /// The driver hears from its channel, unless it no longer waits.
    pub(super) fn record_answer(&mut self, delivery: DeliveryId, answer: Answer<Sent>) {
        if answer.is_none() {
            self.coverage.happened("attempts at which a channel panicked");
        }
        if let Some(InFlight { reply, .. }) = self.in_flight.remove(&delivery) {
            let _ = reply.send(answer);
        }
    }

    fn limits_are_kept(&self, protocol: Protocol) -> Result<()> {
        let limits =
            self.channels.iter().find(|(channel, _)| *channel == protocol).context("no such channel")?.1;
        let over: Vec<_> = self.in_flight.values().filter(|one| one.protocol == protocol).collect();
        let limits = limits.concurrency;
        ensure!(over.len() <= limits.channel, "too much goes over {protocol} at once");
        let most =
            over.iter().map(|one| over.iter().filter(|other| other.subscription == one.subscription).count());
        ensure!(most.max().unwrap_or(0) <= limits.endpoint, "too much goes to one endpoint at once");
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
            TaskOutput::Kept(id, Outcome::new(kind, "sandbox").into())
        });
        Ok(())
    }

    /// A message is where it goes.
    pub(super) fn arrive(&mut self, message_in_transit: &MessageInTransit, awaited: bool) -> Result<()> {
        let MessageInTransit { message, number, subscription } = message_in_transit;
        let protocol = message.endpoint.protocol();
        if let Some(left) = self.lacking.get_mut(&protocol).filter(|left| **left > 0) {
            *left -= 1;
            self.coverage.happened("attempts without a file descriptor");
            let sent = Sent::from(Outcome::new(OutcomeKind::Transient(Scope::Channel), OWN_WANT));
            self.answer(message, Some(sent), WAY, awaited);
            return Ok(());
        }
        if self.down.contains(&protocol) {
            let kind = self.rng.pick(&[
                OutcomeKind::Transient(Scope::Channel),
                OutcomeKind::Throttled { scope: Scope::Channel, retry_after: None },
            ]);
            let sent = Sent::from(Outcome::new(kind, "down"));
            self.answer(message, Some(sent), WAY, awaited);
            return Ok(());
        }
        let receiver = self.receivers.iter().find(|receiver| receiver.endpoint == message.endpoint);
        let reaction = receiver.context("a message to nobody")?.react(&mut self.rng);
        let mut confirmed = false;
        if reaction.arrived {
            self.facts.arrived(message.id, *number)?;
            confirmed = self.read_message(message, *subscription, true);
        }
        if protocol == Protocol::Sms && reaction.arrived {
            self.plan_receipt(message.id, *number);
        }
        let answer = reaction.outcome.map(|outcome| {
            let confirmed = confirmed && outcome.kind == OutcomeKind::Delivered;
            Sent { outcome, confirmed }
        });
        self.answer(message, answer, reaction.after, awaited);
        Ok(())
    }

    fn answer(&mut self, message: &Message, answer: Answer<Sent>, after: Duration, awaited: bool) {
        if awaited {
            self.plan(after, ScheduledEvent::Answer(message.id, answer));
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
                if !self.healed && self.rng.percent(20) {
                    return false;
                }
                if message.endpoint.protocol() == Protocol::Webhook {
                    self.facts.consented(subscription, proven);
                    return true;
                }
                let hours = if self.healed { 0 } else { self.rng.pick(&[0, 0, 0, 1, 47, 50]) };
                let after = Duration::from_hours(hours) + self.rng.up_to(Duration::from_secs(30));
                self.plan(after, ScheduledEvent::Confirm { token: challenge.clone(), subscription, proven });
            }
            Content::Notification { unsubscribe_url, .. } => {
                if !self.healed && self.rng.percent(3) {
                    let token = unsubscribe_url.rsplit_once('=').map(|(_, token)| token.to_owned());
                    let after = self.rng.up_to(Duration::from_secs(30));
                    self.plan(after, ScheduledEvent::Unsubscribe { token: token.unwrap_or_default() });
                }
            }
            Content::Notice { .. } | Content::Test => {}
        }
        false
    }

    /// Providers of text messages report later what became of them, and sometimes before they answer.
    fn plan_receipt(&mut self, delivery: DeliveryId, attempt: u32) {
        let most = self.rng.pick(&[1, 60, 3_600]);
        let after = self.rng.up_to(Duration::from_secs(most));
        let failed = !self.healed && self.rng.percent(25);
        let status = if failed { ReceiptStatus::Failed } else { ReceiptStatus::Delivered };
        let opted_out = failed && self.rng.percent(10);
        let receipt = Receipt { opted_out, ..Receipt::new(status, "reported") };
        if failed && self.rng.percent(10) {
            let receipt = Receipt::new(ReceiptStatus::Delivered, "corrected");
            self.plan(after + after, ScheduledEvent::Receipt { delivery, attempt, receipt });
        }
        if self.rng.percent(60) {
            self.plan(after, ScheduledEvent::Receipt { delivery, attempt, receipt });
        }
    }

    /// A provider calls back; it calls again as long as nobody answers.
    pub(super) fn report(&mut self, delivery: DeliveryId, attempt: u32, receipt: Receipt) -> Result<()> {
        if receipt.status == ReceiptStatus::Failed {
            self.facts.bounced(delivery)?;
        }
        self.ask("record a receipt", |app| async move {
            TaskOutput::Done(deliveries::record_receipt(&app, delivery, attempt, receipt).await)
        });
        Ok(())
    }

    /// The host's worker that tells operators: at its start, and while something is noted that it has not told.
    pub(super) fn notify_operators(&mut self) -> Result<()> {
        let now = self.clock.now();
        let process = self.process()?;
        let queue = process.store.store();
        process
            .tasks
            .spawn("tell operators", async move { TaskOutput::Noticed(queue.notify_operators(now).await) });
        Ok(())
    }

    pub(super) fn operators_told(&mut self, error: Option<&Error>) -> Result<()> {
        self.look_for_news();
        self.answered(error)
    }

    /// Sees to it that what is noted will be told.
    pub(super) fn look_for_news(&mut self) {
        let planned = self.coming.values().any(|event| matches!(event, ScheduledEvent::TellOperators));
        let up = self.process.as_ref().is_some_and(|process| process.stage != Stage::Starting);
        if up && !planned && self.facts.is_something_to_tell() {
            let after = self.rng.up_to(Duration::from_mins(10));
            self.plan(after, ScheduledEvent::TellOperators);
        }
    }

    fn probe(&mut self, protocol: Protocol, reply: Reply<Result<(), Outcome>>) {
        self.say(|| format!("  {protocol} is probed"));
        self.probing.insert(protocol, reply);
        let down = self.down.contains(&protocol);
        let failure = Outcome::new(OutcomeKind::Transient(Scope::Channel), "down");
        let panics = !self.healed && self.rng.percent(PANICS);
        let answer = (!panics).then_some(if down { Err(failure) } else { Ok(()) });
        let after = self.rng.up_to(WAY);
        self.plan(after, ScheduledEvent::ProbeAnswer(protocol, answer));
    }

    pub(super) fn probe_answers(&mut self, protocol: Protocol, answer: Answer<Result<(), Outcome>>) {
        if answer.is_none() {
            self.coverage.happened("probes at which a channel panicked");
        }
        if let Some(reply) = self.probing.remove(&protocol) {
            let _ = reply.send(answer);
        }
    }
}
