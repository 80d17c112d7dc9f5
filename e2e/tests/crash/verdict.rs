//! Holds the promises against what was seen.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, ensure};
use domain::endpoint::Protocol;

use crate::callbacks::Callback;
use crate::drain::Release;
use crate::killer::{Kill, hit_enough};
use crate::load::Order;
use crate::mail_relay::Troubles;
use crate::receipts::Receipt;
use crate::repeats::{self, Repeats};
use crate::signatures;
use crate::store::Stored;
use crate::subscription::Subscription;

/// At 200 kills there must have been so many calls that subscribe, so many that confirm, and so many that unsubscribe; at
/// others as many in proportion.
const COMINGS_AND_GOINGS: (usize, usize) = (500, 200);
/// Of fewer kills than this, in a few seconds on a machine that has other work, one call of each for four kills will do,
/// and one hit of each kind.
pub(crate) const A_LONG_RUN: usize = 50;

/// What was seen from outside.
pub(crate) struct Evidence {
    /// Every order, each answered with success.
    pub(crate) orders: Vec<Order>,
    /// Every subscription.
    pub(crate) subscriptions: Vec<Subscription>,
    /// Every kill.
    pub(crate) killings: Vec<Kill>,
    /// Every report of the provider that was taken.
    pub(crate) callbacks: Vec<Callback>,
    /// The deliveries after whose text the provider dropped the line.
    pub(crate) dropped_lines: Vec<String>,
    /// How often the mail relay was told to misbehave.
    pub(crate) mail_troubles: Troubles,
    /// What a person did about what was held, or dead, in the end.
    pub(crate) release: Release,
    /// Every message that arrived.
    pub(crate) receipts: Vec<Receipt>,
}

impl Evidence {
    /// The deliveries that were held and sent again, by their owners or in the end.
    pub(crate) fn redriven(&self) -> impl Iterator<Item = &String> {
        self.subscriptions.iter().flat_map(|it| &it.redriven).chain(&self.release.redriven)
    }
}

/// What became of the promises.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) kills: usize,
    pub(crate) kills_in_flight: usize,
    pub(crate) kills_in_commit: usize,
    pub(crate) hit_enough: bool,
    pub(crate) acknowledged: usize,
    pub(crate) lost: usize,
    pub(crate) stored_twice: usize,
    pub(crate) changed_ids: usize,
    pub(crate) subscribed: usize,
    pub(crate) confirmed: usize,
    pub(crate) unsubscribed: usize,
    pub(crate) suspensions: usize,
    pub(crate) filter_changes: usize,
    pub(crate) rotations: usize,
    pub(crate) tests: usize,
    /// Of each protocol: owed, undelivered.
    pub(crate) owed: HashMap<Protocol, (usize, usize)>,
    pub(crate) cancelled: usize,
    pub(crate) given_up: usize,
    pub(crate) notified_unconfirmed: usize,
    pub(crate) notified_unwanted: usize,
    pub(crate) wrongly_signed: usize,
    pub(crate) reports: usize,
    pub(crate) reports_lost: usize,
    pub(crate) settled: u32,
    pub(crate) mail_troubles: Troubles,
    pub(crate) not_dead: usize,
    pub(crate) held: usize,
    pub(crate) held_by_kill: usize,
    pub(crate) held_unexplained: usize,
    pub(crate) redriven: usize,
    pub(crate) revived: usize,
    pub(crate) released_in_vain: usize,
    pub(crate) still_held: usize,
    pub(crate) repeats: Vec<(Protocol, Repeats)>,
}

/// Which endpoints got which orders.
type Received<'a> = HashSet<(&'a str, String)>;

impl Verdict {
    /// Judges.
    pub(crate) fn of(evidence: &Evidence, stored: &Stored, wanted_kills: usize) -> Self {
        let Evidence { orders, subscriptions, killings, receipts, .. } = evidence;
        let mut verdict = Self {
            kills: killings.len(),
            kills_in_flight: killings.iter().filter(|kill| !kill.in_flight.is_empty()).count(),
            kills_in_commit: killings.iter().filter(|kill| kill.in_commit.is_some()).count(),
            hit_enough: hit_enough(killings, wanted_kills),
            acknowledged: orders.len(),
            changed_ids: orders.iter().filter(|order| order.changed_its_id).count(),
            wrongly_signed: signatures::wrong(receipts, subscriptions),
            repeats: repeats::by_protocol(evidence, stored),
            mail_troubles: evidence.mail_troubles,
            ..Self::default()
        };
        verdict.judge_orders(orders, stored);
        verdict.judge_held(evidence);
        verdict.judge_release(evidence, stored);
        verdict.judge_reports(&evidence.callbacks, stored);
        let received = received(receipts);
        let dropped: HashSet<_> = evidence.release.dropped.iter().map(String::as_str).collect();
        for subscription in subscriptions {
            verdict.count_operations(subscription);
            for order in orders {
                verdict.judge_notification(subscription, order, (stored, &received, &dropped));
            }
        }
        verdict
    }

    fn judge_orders(&mut self, orders: &[Order], stored: &Stored) {
        let stored_ids: HashSet<_> = stored.orders.iter().map(|(_, id)| id.as_str()).collect();
        let plain = |order: &Order| order.id.replace('-', "");
        self.lost = orders.iter().filter(|order| !stored_ids.contains(plain(order).as_str())).count();
        let mut times = HashMap::<&str, usize>::new();
        for (key, _) in &stored.orders {
            *times.entry(key).or_default() += 1;
        }
        self.stored_twice = times.values().filter(|times| **times > 1).count();
    }

    /// What is held had an attempt in flight when the program was killed, or a provider that dropped the line.
    fn judge_held(&mut self, evidence: &Evidence) {
        let killed: HashSet<_> = evidence.killings.iter().flat_map(|kill| &kill.in_flight).collect();
        let dropped: HashSet<_> = evidence.dropped_lines.iter().collect();
        let redriven: HashSet<_> = evidence.redriven().collect();
        let held: HashSet<_> = redriven.iter().copied().chain(&evidence.release.dropped).collect();
        self.redriven = redriven.len();
        self.held = held.len();
        for held in held {
            self.held_by_kill += usize::from(killed.contains(held));
            self.held_unexplained += usize::from(!killed.contains(held) && !dropped.contains(held));
        }
    }

    /// What was sent again was delivered: nothing was killed any more, and the provider behaved.
    fn judge_release(&mut self, evidence: &Evidence, stored: &Stored) {
        let release = &evidence.release;
        let states: HashMap<_, _> = stored
            .deliveries
            .values()
            .map(|delivery| (delivery.id.as_str(), delivery.state.as_str()))
            .collect();
        let in_the_end = release.redriven.iter().chain(&release.revived);
        let in_vain = in_the_end.filter(|id| states.get(id.as_str()) != Some(&"delivered")).count();
        self.revived = release.revived.len();
        self.released_in_vain = in_vain;
        self.still_held = states.values().filter(|state| **state == "held").count();
        let again: HashSet<_> = evidence.redriven().chain(&release.revived).collect();
        self.not_dead = stored.not_dead.iter().filter(|id| !again.contains(id)).count();
    }

    fn judge_reports(&mut self, callbacks: &[Callback], stored: &Stored) {
        let is_stored = |report: &&Callback| {
            stored.receipts.contains(&(report.delivery.clone(), report.status.to_owned()))
        };
        self.reports = callbacks.len();
        self.reports_lost = callbacks.len() - callbacks.iter().filter(is_stored).count();
        self.settled = stored.settled;
    }

    fn count_operations(&mut self, subscription: &Subscription) {
        self.subscribed += 1;
        self.confirmed += usize::from(subscription.confirmed.is_some());
        self.unsubscribed += usize::from(subscription.left.is_some());
        self.suspensions += subscription.suspensions;
        self.filter_changes += subscription.filters.len();
        self.rotations += subscription.rotations;
        self.tests += subscription.tests;
    }

    fn judge_notification(
        &mut self,
        subscription: &Subscription,
        order: &Order,
        (stored, received, dropped): (&Stored, &Received<'_>, &HashSet<&str>),
    ) {
        let id = order.id.replace('-', "");
        let has_it = received.contains(&(subscription.endpoint.as_str(), id.clone()));
        self.notified_unconfirmed += usize::from(has_it && subscription.must_not_have(order));
        self.notified_unwanted += usize::from(has_it && subscription.does_not_want(order));
        if !subscription.is_owed(order) {
            return;
        }
        let delivery = stored.deliveries.get(&(subscription.id.replace('-', ""), id));
        let cancelled = delivery.filter(|delivery| !has_it && delivery.state == "cancelled");
        let given_up = cancelled.is_some_and(|delivery| dropped.contains(delivery.id.as_str()));
        let cancelled = cancelled.is_some() && !given_up && subscription.leaving.is_some();
        let (owed, undelivered) = self.owed.entry(subscription.protocol).or_default();
        *owed += 1;
        *undelivered += usize::from(!has_it && !cancelled && !given_up);
        self.cancelled += usize::from(cancelled);
        self.given_up += usize::from(given_up);
    }

    /// Fails unless every promise was kept, and enough was tried.
    pub(crate) fn accept(&self, wanted_kills: usize) -> Result<()> {
        let undelivered: usize = self.owed.values().map(|(_, undelivered)| undelivered).sum();
        let unexplained: u32 = self.repeats.iter().map(|(_, repeats)| repeats.unexplained).sum();
        ensure!(self.lost == 0, "{} acknowledged orders were lost", self.lost);
        ensure!(self.stored_twice == 0, "{} orders were stored twice", self.stored_twice);
        ensure!(self.changed_ids == 0, "{} repeated orders were answered with another id", self.changed_ids);
        ensure!(undelivered == 0, "{undelivered} notifications that were owed never came");
        ensure!(self.notified_unconfirmed == 0, "{} were notified unasked", self.notified_unconfirmed);
        ensure!(self.notified_unwanted == 0, "{} notifications passed a filter", self.notified_unwanted);
        ensure!(self.wrongly_signed == 0, "{} webhooks were signed wrongly", self.wrongly_signed);
        ensure!(self.reports_lost == 0, "{} reports of the provider were lost", self.reports_lost);
        ensure!(self.not_dead == 0, "{} deliveries failed and are not dead", self.not_dead);
        ensure!(self.held_unexplained == 0, "{} deliveries were held without a cause", self.held_unexplained);
        ensure!(self.released_in_vain == 0, "{} were sent again in vain", self.released_in_vain);
        ensure!(self.still_held == 0, "{} deliveries are still held", self.still_held);
        ensure!(unexplained == 0, "{unexplained} repeats are unexplained");
        ensure!(self.kills >= wanted_kills, "only {} kills", self.kills);
        ensure!(self.hit_enough, "too few kills hit what they should");
        let all = Protocol::ALL.iter().all(|protocol| self.owed.contains_key(protocol));
        ensure!(all, "not every channel was tried: {:?}", self.owed);
        let (calls, per_kills) = if wanted_kills < A_LONG_RUN { (1, 4) } else { COMINGS_AND_GOINGS };
        let comings_and_goings = [
            ("subscribed", self.subscribed),
            ("confirmed", self.confirmed),
            ("unsubscribed", self.unsubscribed),
        ];
        for (what, times) in comings_and_goings {
            ensure!(times * per_kills >= wanted_kills * calls, "only {times} {what}");
        }
        Ok(())
    }
}

/// What reached whom.
fn received(receipts: &[Receipt]) -> Received<'_> {
    receipts.iter().filter_map(|receipt| Some((receipt.endpoint.as_str(), receipt.order.clone()?))).collect()
}

#[cfg(test)]
#[path = "verdict_on_promises.rs"]
pub(crate) mod tests;
