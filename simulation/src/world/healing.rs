//! The end of each run: everything works again, and everything must come to its end.

use anyhow::{Context, Result, bail};
use application::orders;
use application::ports::RedriveSelection;
use application::subscriptions;
use application::subscriptions::resend_confirmation;
use domain::delivery::DeliveryKind;
use oracle::deliveries::State as DeliveryState;
use oracle::subscriptions::State as SubscriptionState;

use super::World;
use crate::process::TaskOutput;
use crate::receivers::Receiver;
use crate::tasks::at_once;

impl World<'_> {
    pub(super) fn heal(&mut self) -> Result<()> {
        self.say(|| "the world heals".to_owned());
        self.healed = true;
        self.down.clear();
        self.lacking.clear();
        self.mend_every_row()?;
        self.receivers.iter_mut().for_each(Receiver::heal);
        self.rest()?;
        self.facts.nothing_is_stuck()?;
        self.people_see_to_the_rest()?;
        self.facts.all_came_to_its_end()?;
        self.check_timelines()
    }

    fn rest(&mut self) -> Result<()> {
        while self.step()? {}
        Ok(())
    }

    /// Open confirmation requests are sent again and answered; what died is redriven.
    fn people_see_to_the_rest(&mut self) -> Result<()> {
        for _ in 0..20 {
            let subscriptions = self.facts.subscriptions.values();
            let pending =
                subscriptions.filter(|subscription| subscription.state == SubscriptionState::Pending);
            let pending: Vec<_> = pending.map(|subscription| subscription.id).collect();
            let redrivable = self.facts.deliveries.values().filter(|delivery| {
                let subscription = &self.facts.subscriptions[&delivery.subscription];
                matches!(delivery.state, DeliveryState::Dead | DeliveryState::Held)
                    && delivery.kind != DeliveryKind::Confirmation
                    && !self.facts.is_spam(delivery)
                    && subscription.state != SubscriptionState::Ended
            });
            let redrivable: Vec<_> = redrivable.map(|delivery| delivery.id).collect();
            let suspended = self.facts.subscriptions.values();
            let suspended =
                suspended.filter(|subscription| subscription.state == SubscriptionState::Suspended);
            let suspended: Vec<_> = suspended.map(|subscription| subscription.id).collect();
            if pending.is_empty() && redrivable.is_empty() && suspended.is_empty() {
                return Ok(());
            }
            for id in pending {
                self.ask("resend the confirmation", |app| async move {
                    TaskOutput::Changed("resend the confirmation", resend_confirmation(&app, id).await)
                });
            }
            for id in suspended {
                self.ask("resume", |app| async move {
                    TaskOutput::Changed("resume", subscriptions::resume(&app, id).await)
                });
            }
            for id in redrivable {
                self.redrive(RedriveSelection::One(id));
            }
            self.rest()?;
            self.facts.nothing_is_stuck()?;
        }
        bail!("people ask and redrive again and again, and something never comes to its end")
    }

    fn check_timelines(&mut self) -> Result<()> {
        let orders: Vec<_> = self.facts.orders.iter().map(|(seq, order)| (*seq, order.id)).collect();
        for (seq, id) in orders {
            let app = self.process()?.app.clone();
            let told = at_once(orders::timeline(&app, id)).context("a timeline waits for something")??;
            self.facts.timeline_tells(seq, &told)?;
        }
        Ok(())
    }
}
