//! Holds the promises against what was seen.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, ensure};
use domain::endpoint::Protocol;
use oracle::deliveries::{self, Kind, State};
use oracle::matching::{self, Expected, Found};
use oracle::{Promise, Violation, intake, receptions};

use crate::callbacks::Callback;
use crate::drain::Release;
use crate::killer::{A_LONG_RUN, Kill, hit_enough};
use crate::load::Order;
use crate::mail_relay::Troubles;
use crate::receipts::Receipt;
use crate::repeats::{self, Received};
use crate::signatures;
use crate::store::Stored;
use crate::subscription::Subscription;

/// At 200 kills there must have been so many calls that subscribe, so many that confirm, and so many that unsubscribe; at
/// others as many in proportion.
const COMINGS_AND_GOINGS: (usize, usize) = (500, 200);

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

/// A promise that was not kept, and about what.
pub(crate) type Broken = (String, Violation);

/// What became of the promises.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) kills: usize,
    pub(crate) kills_in_flight: usize,
    pub(crate) kills_in_commit: usize,
    pub(crate) hit_enough: bool,
    pub(crate) acknowledged: usize,
    pub(crate) subscribed: usize,
    pub(crate) confirmed: usize,
    pub(crate) unsubscribed: usize,
    pub(crate) suspensions: usize,
    pub(crate) filter_changes: usize,
    pub(crate) rotations: usize,
    pub(crate) tests: usize,
    /// How many notifications each protocol had to bring.
    pub(crate) matched: HashMap<Protocol, usize>,
    pub(crate) cancelled: usize,
    pub(crate) given_up: usize,
    pub(crate) reports: usize,
    pub(crate) settled: u32,
    pub(crate) mail_troubles: Troubles,
    pub(crate) held: usize,
    pub(crate) held_by_kill: usize,
    pub(crate) held_by_provider: usize,
    pub(crate) redriven: usize,
    pub(crate) revived: usize,
    pub(crate) received: Vec<(Protocol, Received)>,
    /// Every promise that was not kept.
    pub(crate) broken: Vec<Broken>,
}

/// Which endpoints got which orders.
type Arrived<'a> = HashSet<(&'a str, String)>;

impl Verdict {
    /// Judges.
    pub(crate) fn of(evidence: &Evidence, stored: &Stored, wanted_kills: usize) -> Self {
        let Evidence { orders, subscriptions, killings, receipts, .. } = evidence;
        let (received, broken) = repeats::by_protocol(evidence, stored);
        let mut verdict = Self {
            kills: killings.len(),
            kills_in_flight: killings.iter().filter(|kill| !kill.in_flight.is_empty()).count(),
            kills_in_commit: killings.iter().filter(|kill| kill.in_commit.is_some()).count(),
            hit_enough: hit_enough(killings, wanted_kills),
            acknowledged: orders.len(),
            mail_troubles: evidence.mail_troubles,
            received,
            broken,
            ..Self::default()
        };
        verdict.judge_orders(orders, stored);
        verdict.judge_held(evidence);
        verdict.judge_release(evidence, stored);
        verdict.judge_reports(&evidence.callbacks, stored);
        for (endpoint, signed) in signatures::all(receipts, subscriptions) {
            verdict.note(|| format!("a message to {endpoint}"), receptions::signed(signed));
        }
        let arrived = arrived(receipts);
        let dropped: HashSet<_> = evidence.release.dropped.iter().map(String::as_str).collect();
        for subscription in subscriptions {
            verdict.count_operations(subscription);
            for order in orders {
                verdict.judge_notification(subscription, order, (stored, &arrived, &dropped));
            }
        }
        verdict
    }

    /// How often a promise was not kept.
    pub(crate) fn count(&self, promise: Promise) -> usize {
        self.broken.iter().filter(|(_, violation)| violation.promise == promise).count()
    }

    fn note(&mut self, about: impl Fn() -> String, found: impl IntoIterator<Item = Violation>) {
        self.broken.extend(found.into_iter().map(|violation| (about(), violation)));
    }

    fn judge_orders(&mut self, orders: &[Order], stored: &Stored) {
        let mut by_key = HashMap::<&str, Vec<intake::Stored<&str>>>::new();
        for (key, id) in &stored.orders {
            by_key.entry(key).or_default().push(intake::Stored { id, as_sent: true });
        }
        for order in orders {
            let answered = [Some(&order.id), order.repeated.as_ref()].map(|id| id.map(|id| plain(id)));
            let answered: Vec<_> = answered.iter().flatten().map(String::as_str).collect();
            let stored = by_key.get(order.key.as_str()).map_or(&[][..], Vec::as_slice);
            self.note(|| format!("the order of {}", order.key), intake::judge(&answered, stored));
        }
    }

    /// What is held had an attempt in flight when the program was killed, or a provider that dropped the line.
    fn judge_held(&mut self, evidence: &Evidence) {
        let killed: HashSet<_> = evidence.killings.iter().flat_map(|kill| &kill.in_flight).collect();
        let dropped: HashSet<_> = evidence.dropped_lines.iter().collect();
        let redriven: HashSet<_> = evidence.redriven().collect();
        let held: HashSet<_> = redriven.iter().copied().chain(&evidence.release.dropped).collect();
        self.redriven = redriven.len();
        self.held = held.len();
        for id in held {
            let (by_kill, by_provider) = (killed.contains(id), dropped.contains(id));
            self.held_by_kill += usize::from(by_kill);
            self.held_by_provider += usize::from(by_provider && !by_kill);
            self.note(|| format!("delivery {id}"), receptions::held(by_kill || by_provider));
        }
    }

    /// Nothing waits any more, and what was sent again at last was delivered: nothing was killed any more, and the provider
    /// behaved.
    fn judge_release(&mut self, evidence: &Evidence, stored: &Stored) {
        let release = &evidence.release;
        self.revived = release.revived.len();
        let at_last: HashSet<_> = release.redriven.iter().chain(&release.revived).collect();
        for delivery in stored.deliveries.values() {
            let (state, subscription) = (delivery.state, delivery.subscription);
            let rests = deliveries::rests(Kind::Notification, state, subscription, false);
            // Of all that was held a person made an end.
            let held = (state == State::Held)
                .then(|| deliveries::ends_well(Kind::Notification, state, subscription, false))
                .flatten();
            let again = at_last.contains(&delivery.id).then(|| deliveries::sent_again(state)).flatten();
            let found = rests.into_iter().chain(held).chain(again);
            self.note(|| format!("delivery {}", delivery.id), found);
        }
    }

    fn judge_reports(&mut self, callbacks: &[Callback], stored: &Stored) {
        self.reports = callbacks.len();
        self.settled = stored.settled;
        for report in callbacks {
            let kept = stored.receipts.contains(&(report.delivery.clone(), report.status.to_owned()));
            self.note(|| format!("delivery {}", report.delivery), receptions::receipt_kept(kept));
        }
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
        (stored, arrived, dropped): (&Stored, &Arrived<'_>, &HashSet<&str>),
    ) {
        let id = plain(&order.id);
        let has_it = arrived.contains(&(subscription.endpoint.as_str(), id.clone()));
        let expected = subscription.expected(order);
        let mut there = has_it;
        if expected == Expected::Matched {
            *self.matched.entry(subscription.protocol).or_default() += 1;
            let delivery = stored.deliveries.get(&(plain(&subscription.id), id));
            let cancelled = delivery.filter(|delivery| !has_it && delivery.state == State::Cancelled);
            let given_up = cancelled.is_some_and(|delivery| dropped.contains(delivery.id.as_str()));
            let cancelled = cancelled.is_some() && !given_up && subscription.leaving.is_some();
            self.cancelled += usize::from(cancelled);
            self.given_up += usize::from(given_up);
            there |= cancelled || given_up;
        }
        let found = matching::judge(expected, there.then(Found::default));
        self.note(|| format!("order {}, subscription {}", order.id, subscription.id), found);
    }

    /// Fails unless every promise was kept, and enough was tried.
    pub(crate) fn accept(&self, wanted_kills: usize) -> Result<()> {
        ensure!(self.broken.is_empty(), "{} promises were broken", self.broken.len());
        ensure!(self.kills >= wanted_kills, "only {} kills", self.kills);
        ensure!(self.hit_enough, "too few kills hit what they should");
        let all = Protocol::ALL.iter().all(|protocol| self.matched.contains_key(protocol));
        ensure!(all, "not every channel was tried: {:?}", self.matched);
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

fn plain(id: &str) -> String {
    id.replace('-', "")
}

/// What reached whom.
fn arrived(receipts: &[Receipt]) -> Arrived<'_> {
    receipts.iter().filter_map(|receipt| Some((receipt.endpoint.as_str(), receipt.order.clone()?))).collect()
}

#[cfg(test)]
#[path = "verdict_on_promises.rs"]
pub(crate) mod tests;
