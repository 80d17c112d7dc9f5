//! What operators, subscribers and fate do.

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Context, Result};
use application::deliveries;
use application::deliveries::redrive;
use application::deliveries::retry;
use application::ports::{DeliveryFilter, DropSelection, Redrivable, RedriveSelection, RetrySelection};
use application::subscriptions::{
    self, Subscribe, resend_confirmation, rotate_secret, send_test, subscribe, unsubscribe,
};
use application::{App, Error};
use domain::attributes::{Attributes, AttributesChange, Escalation, Minutes, SubscribedTo};
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::filter_policy::FilterPolicy;
use domain::subscription::{Subscription, SubscriptionId};
use jiff::SignedDuration;
use oracle::deliveries::State as DeliveryState;
use oracle::subscriptions::State as SubscriptionState;

use super::rate_limits::LastBegun;
use super::{ScheduledEvent, World};
use crate::process::{Stage, TaskOutput};
use crate::receivers::ReceiverBehavior;
use crate::scenario::Action;

const POLICIES: [Option<&str>; 4] =
    [None, None, Some(r#"{"currency":["EUR"]}"#), Some(r#"{"currency":["EUR","USD"]}"#)];
/// How long a channel is down, in seconds.
const OUTAGES: [u64; 4] = [1, 20, 300, 3_600];
/// Orders of a long rush: more than the engine holds of one endpoint at once.
const LONG_RUSH: usize = 30;
/// How far clocks are set, in seconds.
const CLOCK_JUMPS: [i64; 7] = [-90_000, -4_000, -30, 30, 4_000, 90_000, 500_000];

impl World<'_> {
    pub(super) fn action(&mut self, action: Action) -> Result<()> {
        self.coverage.happened(format!("{action:?}"));
        match action {
            Action::PlaceOrder => self.new_client()?,
            Action::Rush => {
                let orders = if self.rng.percent(10) { LONG_RUSH } else { 2 + self.rng.below(5) };
                (0..orders).try_for_each(|_| self.new_client())?;
            }
            Action::Subscribe => self.subscribe_someone(),
            Action::ChangeBehavior => {
                let place = self.rng.below(self.receivers.len());
                let behavior = ReceiverBehavior::any(&mut self.rng);
                self.receivers[place].turn(behavior);
            }
            Action::Forsake => {
                let place = self.rng.below(self.receivers.len());
                self.receivers[place].forsake();
                for hours in [0, 12, 36, 60, 84, 108, 121, 130] {
                    let after = Duration::from_hours(hours) + self.rng.up_to(Duration::from_hours(1));
                    self.plan(after, ScheduledEvent::Action(Action::PlaceOrder));
                }
            }
            Action::BreakChannel => {
                let (channel, _) = self.rng.pick(&self.channels);
                self.down.insert(channel);
                let lasting = self.rng.pick(&OUTAGES);
                self.plan(Duration::from_secs(lasting), ScheduledEvent::Action(Action::MendChannels));
            }
            Action::MendChannels => self.down.clear(),
            Action::LackDescriptors => {
                let (channel, _) = self.rng.pick(&self.channels);
                let attempts = 1 + self.rng.below(12);
                self.lacking.insert(channel, attempts);
            }
            Action::DamageRow => self.damage_a_row()?,
            Action::MendRow => self.mend_a_row()?,
            Action::SetClock => {
                let jump = self.rng.pick(&CLOCK_JUMPS);
                self.clock.turn(SignedDuration::from_secs(jump));
                self.last_begun = LastBegun::default();
                if let Some(process) = &self.process {
                    process.runtime.clock_was_set();
                }
            }
            Action::Stop => self.stop()?,
            Action::Redrive
            | Action::RedriveAll
            | Action::Retry
            | Action::RetryAll
            | Action::DropHeld
            | Action::DropPending => self.operate_deliveries(action),
            Action::MarkSpam | Action::MarkSpamOfClient | Action::UnmarkSpam => self.operate_spam(action),
            _ => self.operate_subscriptions(action),
        }
        Ok(())
    }

    /// What an operator does to a subscription.
    fn operate_subscriptions(&mut self, action: Action) {
        match action {
            Action::ChangeFilterPolicy => {
                let policy = self.policy();
                let change = AttributesChange::with_filter_policy(policy);
                self.change("change the attributes", |app, id| async move {
                    subscriptions::change(&app, id, change).await
                });
            }
            Action::RemoveSubscription => {
                self.change("remove", |app, id| async move { subscriptions::remove(&app, id).await });
            }
            Action::ResendConfirmation => self.change("resend the confirmation", |app, id| async move {
                resend_confirmation(&app, id).await
            }),
            Action::Suspend => {
                self.change("suspend", |app, id| async move { subscriptions::suspend(&app, id).await });
            }
            Action::Resume => {
                self.change("resume", |app, id| async move { subscriptions::resume(&app, id).await });
            }
            Action::SendTest => self.change("send a test", |app, id| async move {
                send_test(&app, id).await?;
                subscriptions::get(&app, id).await
            }),
            Action::RotateSecret => {
                self.change("rotate the secret", |app, id| async move { rotate_secret(&app, id).await });
            }
            _ => {}
        }
    }

    /// What an operator does to deliveries.
    fn operate_deliveries(&mut self, action: Action) {
        match action {
            Action::Redrive => {
                if let Some(id) =
                    self.some_delivery(|state| matches!(state, DeliveryState::Dead | DeliveryState::Held))
                {
                    self.redrive(RedriveSelection::One(id));
                }
            }
            Action::RedriveAll => {
                let state = self.rng.pick(&[Redrivable::Dead, Redrivable::Held]);
                self.redrive(RedriveSelection::Many { state, filter: DeliveryFilter::default() });
            }
            Action::DropHeld => {
                if let Some(id) = self.some_delivery(|state| state == DeliveryState::Held) {
                    self.give_up(DropSelection::One(id));
                }
            }
            Action::DropPending => {
                let filter = self.some_protocol();
                self.give_up(DropSelection::Pending(filter));
            }
            Action::Retry => {
                if let Some(id) = self.some_delivery(|state| state == DeliveryState::Pending) {
                    self.retry(RetrySelection::One(id));
                }
            }
            Action::RetryAll => {
                let filter = self.some_protocol();
                self.retry(RetrySelection::Pending(filter));
            }
            _ => {}
        }
    }

    fn subscribe_someone(&mut self) {
        let place = self.rng.below(self.receivers.len());
        let endpoint = self.receivers[place].endpoint.clone();
        let slow = self.rng.percent(15);
        let attributes = Attributes {
            filter_policy: self.policy(),
            max_receives_per_second: slow.then_some(NonZeroU32::MIN),
            escalation: self.escalation(),
            receives: self.rng.weighted(&[
                (5, SubscribedTo::Orders),
                (2, SubscribedTo::Notices),
                (3, SubscribedTo::All),
            ]),
            ..Attributes::default()
        };
        let request = Subscribe { endpoint, attributes, secret: None };
        self.ask("subscribe", |app| async move { TaskOutput::Subscribed(subscribe(&app, request).await) });
    }

    fn escalation(&mut self) -> Option<Escalation> {
        let others = self.facts.subscriptions.values().map(|subscription| subscription.id);
        let to = self.rng.any(others)?;
        let after_minutes = Minutes::parse("after", self.rng.pick(&[1, 10, 600])).ok()?;
        self.rng.percent(30).then_some(Escalation { after_minutes, to })
    }

    fn some_delivery(&mut self, which: impl Fn(DeliveryState) -> bool) -> Option<DeliveryId> {
        let those = self.facts.deliveries.values().filter(|delivery| which(delivery.state));
        self.rng.any(those.map(|delivery| delivery.id))
    }

    fn policy(&mut self) -> Option<FilterPolicy> {
        self.rng.pick(&POLICIES).and_then(|policy| FilterPolicy::parse(policy).ok())
    }

    /// Changes some subscription.
    fn change<F>(&mut self, what: &'static str, change: impl FnOnce(App, SubscriptionId) -> F)
    where
        F: Future<Output = Result<Subscription, Error>> + Send + 'static,
    {
        let all: Vec<_> = self.facts.subscriptions.values().map(|subscription| subscription.id).collect();
        if let Some(id) = self.rng.any(all) {
            self.ask(what, |app| {
                let changed = change(app, id);
                async move { TaskOutput::Changed(what, changed.await) }
            });
        }
    }

    fn some_protocol(&mut self) -> DeliveryFilter {
        let protocol = self.rng.any(Protocol::ALL);
        DeliveryFilter { protocol, ..DeliveryFilter::default() }
    }

    fn retry(&mut self, selection: RetrySelection) {
        self.ask("retry", |app| async move { TaskOutput::Done(retry(&app, selection).await.map(drop)) });
    }

    fn give_up(&mut self, selection: DropSelection) {
        if self.process.as_ref().is_some_and(|process| process.stage == Stage::Up) {
            self.facts.giving_up += 1;
            self.ask(
                "drop",
                |app| async move { TaskOutput::Dropped(deliveries::drop(&app, selection).await) },
            );
        }
    }

    pub(super) fn redrive(&mut self, selection: RedriveSelection) {
        self.ask("redrive", |app| async move { TaskOutput::Done(redrive(&app, selection).await.map(drop)) });
    }

    /// Asks the program for something, if it is up; otherwise nobody hears it.
    pub(super) fn ask<F>(&mut self, what: &'static str, ask: impl FnOnce(App) -> F)
    where
        F: Future<Output = TaskOutput> + Send + 'static,
    {
        if let Some(process) = self.process.as_mut().filter(|process| process.stage == Stage::Up) {
            let asked = ask(process.app.clone());
            process.tasks.spawn(what, asked);
        }
    }

    /// The owner of an endpoint presses the button behind the link.
    pub(super) fn confirm(&mut self, token: String, subscription: SubscriptionId, proven: bool) {
        self.facts.consented(subscription, proven);
        self.ask("confirm", |app| async move {
            TaskOutput::Changed("confirm", subscriptions::confirm(&app, &token).await)
        });
    }

    pub(super) fn unsubscribe(&mut self, token: String) {
        self.ask("unsubscribe", |app| async move {
            TaskOutput::Changed("unsubscribe", unsubscribe(&app, &token).await)
        });
    }

    pub(super) fn changed(&mut self, what: &'static str, answer: &Result<Subscription, Error>) -> Result<()> {
        match answer {
            Ok(subscription) => {
                let ends = matches!(what, "remove" | "unsubscribe");
                let state = SubscriptionState::named(subscription.state.name()).context("unknown state")?;
                self.facts.told_state(subscription.id, if ends { SubscriptionState::Ended } else { state })
            }
            Err(error) => self.expect_trouble(error),
        }
    }
}
