//! Orders as they are stored, and whom each matched when it was accepted.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use application::orders::Placed;
use application::{Error, ErrorKind};
use domain::order::OrderId;
use oracle::intake::{self, Stored};
use oracle::matching::{self, Expected, Found};

use super::{Facts, kept};

/// An order that is stored.
pub(crate) struct OrderTruth {
    pub(crate) id: OrderId,
    pub(crate) time: i64,
    pub(crate) request: String,
    /// The subscriptions that it matched when it was accepted.
    pub(crate) matched: BTreeSet<i64>,
    /// Those that stand in for others that did not get it in time.
    pub(crate) escalated_to: BTreeSet<i64>,
    /// Those that have their delivery.
    pub(crate) delivered_to: BTreeSet<i64>,
}

/// What a client asks for, again under a new request id when it repeats itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sought {
    /// Whose order it is.
    pub(crate) client: usize,
    /// The key, if it has one.
    pub(crate) key: Option<String>,
    /// What tells one payload from another, and what policies ask for.
    pub(crate) currency: &'static str,
}

/// How long keys live in the simulation, in microseconds.
pub(crate) const KEY_LIFETIME: i64 = 24 * 3_600 * 1_000_000;

impl Facts {
    pub(super) fn order_stored(&mut self, seq: i64, id: OrderId, time: i64, request: &str) -> Result<()> {
        self.latest = self.latest.max(time);
        let last = self.orders.last_key_value().map_or(0, |(seq, _)| *seq);
        let sought = self.sought.get(request).with_context(|| format!("nobody placed {request}"))?.clone();
        // One whose key lives, or that is the very same request, is the same order.
        let same = |order: &&OrderTruth| {
            let with_its_key = sought.key.is_some() && self.sought[&order.request].key == sought.key;
            order.request == request || with_its_key && order.time + KEY_LIFETIME > self.latest
        };
        let others = self.orders.values().filter(same).map(|order| order.id);
        let stored: Vec<_> = others.chain([id]).map(|id| Stored { id, as_sent: true }).collect();
        let found = intake::judge(&[], &stored).into_iter();
        let found = found.chain(intake::in_sequence(last, seq));
        kept(found.chain(intake::refused(self.refused.contains(request))), || request.to_owned())?;
        let matched =
            self.subscriptions.iter().filter(|(_, subscription)| subscription.wants(sought.currency));
        let order = OrderTruth {
            id,
            time,
            request: request.to_owned(),
            matched: matched.map(|(subscription, _)| *subscription).collect(),
            escalated_to: BTreeSet::new(),
            delivered_to: BTreeSet::new(),
        };
        self.orders.insert(seq, order);
        Ok(())
    }

    pub(super) fn published(&mut self, through: i64, before: i64) -> Result<()> {
        kept(matching::published(self.published_through, before, through), || "publishing".to_owned())?;
        self.published_through = through;
        Ok(())
    }

    /// Every order that the relay has passed has a delivery for everyone whom it matched.
    pub(super) fn all_published_is_delivered(&self) -> Result<()> {
        for (seq, order) in self.orders.range(..=self.published_through).rev().take(64) {
            if self.is_quarantined("orders", *seq) {
                continue;
            }
            for to in &order.matched {
                let found = order.found(*to);
                kept(matching::judge(Expected::Matched, found), || {
                    format!("order {seq}, subscription {to}")
                })?;
            }
        }
        Ok(())
    }

    /// A client was answered.
    pub(crate) fn placed(&mut self, request: &str, answer: &Result<Placed, Error>) -> Result<()> {
        match answer {
            Ok(placed) => {
                let stored = self.orders.values().find(|order| order.id == placed.id);
                let again = &self.sought[request];
                let as_sent = stored.is_some_and(|stored| self.sought[&stored.request] == *again);
                let stored_as: Vec<_> =
                    stored.iter().map(|stored| Stored { id: stored.id, as_sent }).collect();
                kept(intake::judge(&[placed.id], &stored_as), || request.to_owned())?;
                let first = stored.is_some_and(|stored| stored.request == request);
                ensure!(placed.repeated != first, "{request} was answered {placed:?}");
            }
            Err(error) if matches!(error.kind, ErrorKind::Busy | ErrorKind::StorageFull) => {
                let is_stored = self.orders.values().any(|order| order.request == request);
                kept(intake::refused(is_stored), || request.to_owned())?;
                self.refused.insert(request.to_owned());
            }
            Err(error) if error.code == "idempotency_key_reused" => {
                let sought = &self.sought[request];
                let mut others = self.orders.values().map(|order| &self.sought[&order.request]);
                let was_used =
                    others.any(|other| other.key == sought.key && other.currency != sought.currency);
                kept(intake::key_reused(was_used), || request.to_owned())?;
            }
            Err(_) => {}
        }
        Ok(())
    }
}

impl OrderTruth {
    /// Its delivery to a subscription, if there is one.
    pub(super) fn found(&self, subscription: i64) -> Option<Found> {
        let escalated = self.escalated_to.contains(&subscription);
        self.delivered_to.contains(&subscription).then_some(Found { escalated, undecided: false })
    }
}
