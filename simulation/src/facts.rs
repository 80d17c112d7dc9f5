//! The facts of a world: what SQLite recorded, what clients were told, what arrived. The promises are the oracle's.

mod deliveries;
mod end;
mod escalations;
mod notices;
mod orders;
mod quarantine;
mod subscriptions;
mod suspensions;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use anyhow::{Result, bail, ensure};
use domain::delivery::{DeliveryId, DeliveryKind};
use domain::subscription::SubscriptionId;
use oracle::Violation;
use oracle::deliveries::State as DeliveryState;

use crate::coverage::Coverage;
use crate::ledger::Entry;

pub(crate) use deliveries::DeliveryTruth;
pub(crate) use orders::{OrderTruth, Sought};
pub(crate) use subscriptions::SubscriptionTruth;

/// All that is known to be so. Keys are places in the tables.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) orders: BTreeMap<i64, OrderTruth>,
    pub(crate) subscriptions: BTreeMap<i64, SubscriptionTruth>,
    pub(crate) deliveries: BTreeMap<i64, DeliveryTruth>,
    pub(crate) published_through: i64,
    /// What the requests that were made ask for, by request id.
    pub(crate) sought: BTreeMap<String, Sought>,
    /// Requests that were answered "nothing was changed".
    refused: BTreeSet<String>,
    /// Whose owners said yes; whether they did so where it proves something, outside the sandbox.
    consents: BTreeMap<SubscriptionId, bool>,
    /// The latest time that any clock has shown, in microseconds: a key that was over once is over.
    latest: i64,
    places: BTreeMap<DeliveryId, i64>,
    /// How many people are about to give up what is pending or held.
    pub(crate) giving_up: usize,
    /// The subscriptions that nobody is asked about by itself.
    lapsed: BTreeSet<i64>,
    /// The orders that are spam.
    spam: BTreeSet<i64>,
    /// The orders that were spam at some time.
    once_spam: BTreeSet<i64>,
    /// Of the commit that is looked at: the deliveries of which something changed.
    touched: BTreeSet<i64>,
    /// Of the commit that is looked at: what came too late, and who stands in for it.
    late: Vec<(i64, i64)>,
    /// The rows that are quarantined.
    quarantined: BTreeSet<(String, i64)>,
    /// What operators are to be told of, and what was done about that.
    notices: notices::Notices,
}

/// Fails with the first that is wrong `about` something.
fn kept(found: impl IntoIterator<Item = Violation>, about: impl FnOnce() -> String) -> Result<()> {
    match found.into_iter().next() {
        None => Ok(()),
        Some(violation) => bail!("{}: {}", about(), violation.wrong),
    }
}

impl Facts {
    /// Takes in what one commit changed; a promise that it breaks is the error.
    pub(crate) fn learn(&mut self, entries: &[Entry], now: i64, coverage: &mut Coverage) -> Result<()> {
        self.latest = self.latest.max(now);
        for entry in entries {
            match entry {
                Entry::Order { seq, id, time, request } => self.order_stored(*seq, *id, *time, request)?,
                Entry::Published { through, before } => self.published(*through, *before)?,
                Entry::Subscription { seq, id, protocol, receives, slow, state, policy } => {
                    let way = (*protocol, *slow);
                    self.subscribed(*seq, *id, way, *receives, (*state, policy.clone()))?;
                }
                Entry::Suspended { seq } => self.suspended_by_itself(*seq)?,
                Entry::Noted { kind } => self.notices.note(kind),
                Entry::Settled { kind } => self.settled(kind)?,
                Entry::Late { delivery, target } => self.came_too_late(*delivery, *target)?,
                Entry::SubscriptionMoved { seq, was, state, in_sandbox, generation, policy } => {
                    coverage.transition("subscription", was.name(), state.name())?;
                    self.subscription_moved(*seq, *was, *state, (*in_sandbox, *generation), policy.clone())?;
                }
                Entry::Quarantined { table, row, is_quarantined: true } => {
                    self.quarantined.insert((table.clone(), *row));
                }
                Entry::Quarantined { table, row, .. } => {
                    self.quarantined.remove(&(table.clone(), *row));
                }
                Entry::Lapsed { seq } => _ = self.lapsed.insert(*seq),
                Entry::Spam { order, is_spam } => self.called_spam(*order, *is_spam),
                Entry::Tampered { seq } => {
                    bail!("row {seq}, which must never change, was changed or deleted")
                }
                of_a_delivery => self.learn_of_a_delivery(of_a_delivery, coverage)?,
            }
        }
        self.what_is_late_is_escalated()?;
        self.what_happened_is_noted()?;
        self.all_published_is_delivered()?;
        self.what_was_touched_is_explained()
    }

    fn learn_of_a_delivery(&mut self, entry: &Entry, coverage: &mut Coverage) -> Result<()> {
        match entry {
            Entry::Delivery {
                seq,
                id,
                state,
                subscription,
                order,
                kind,
                escalated,
                undecided,
                cancel_reason,
            } => {
                self.places.insert(*id, *seq);
                let begins = (*state, *cancel_reason);
                let delivery = DeliveryTruth::new((*id, *kind), *subscription, *order, begins);
                self.notices.made_for.extend((*kind == DeliveryKind::Notice).then_some(*subscription));
                self.delivery_begun(*seq, delivery, *escalated, *undecided)?;
            }
            Entry::DeliveryMoved { seq, was, state, attempts, cancel_reason } => {
                coverage.transition("delivery", was.name(), state.name())?;
                self.delivery_moved(*seq, *was, *state, *attempts, *cancel_reason)?;
                self.notices.died.extend((was != state && *state == DeliveryState::Dead).then_some(*seq));
            }
            Entry::Attempt { delivery, number, .. } => self.attempt_begun(*delivery, *number)?,
            Entry::Outcome { delivery, number, at, outcome, used, own_want } => {
                ensure!(!(*used && *own_want), "our own want used an attempt at delivery {delivery}");
                self.attempt_ended(*delivery, *number, *at, (outcome.as_deref(), *used))?;
            }
            Entry::Receipt { delivery, attempt, status } => {
                self.reported(*delivery, *attempt, *status)?;
            }
            Entry::TakenAway { seq } => self.taken_away(*seq)?,
            Entry::Released { seq } => self.released(*seq)?,
            Entry::EscalatedTo { seq } => self.escalates_to(*seq)?,
            _ => {}
        }
        Ok(())
    }
}

impl Facts {
    /// How everything stands, without telling one row of a kind from another.
    pub(crate) fn digest(&self) -> impl Hash + use<> {
        let mut deliveries: Vec<_> = self
            .deliveries
            .values()
            .map(|delivery| (delivery.kind, delivery.state, delivery.attempts.len().min(3)))
            .collect();
        deliveries.sort_by_key(|(kind, state, attempts)| (kind.name(), state.name(), *attempts));
        deliveries.dedup();
        let mut subscriptions: Vec<_> =
            self.subscriptions.values().map(|subscription| subscription.state).collect();
        subscriptions.sort_by_key(|state| state.name());
        let behind = self.orders.range(self.published_through + 1..).count().min(3);
        (deliveries, subscriptions, behind)
    }
}
