//! Orders: stored once, never lost, owed to those who were confirmed and matched when they were accepted.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use application::orders::Placed;
use application::{Error, ErrorKind};
use domain::order::OrderId;

use super::Promises;

/// An order that is stored.
pub(crate) struct OrderTruth {
    pub(crate) id: OrderId,
    pub(crate) time: i64,
    pub(crate) request: String,
    /// The subscriptions that it is owed, as of its acceptance.
    pub(crate) owed: BTreeSet<i64>,
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

impl Promises {
    pub(super) fn order_stored(&mut self, seq: i64, id: OrderId, time: i64, request: &str) -> Result<()> {
        self.latest = self.latest.max(time);
        let last = self.orders.last_key_value().map_or(0, |(seq, _)| *seq);
        ensure!(seq > last, "order {seq} was given a place before {last}");
        let sought = self.sought.get(request).with_context(|| format!("nobody placed {request}"))?.clone();
        ensure!(!self.refused.contains(request), "{request} was refused, and stored after all");
        ensure!(self.orders.values().all(|order| order.request != request), "{request} was stored twice");
        if sought.key.is_some() {
            let living = self.orders.iter().find(|(_, order)| {
                self.sought[&order.request].key == sought.key && order.time + KEY_LIFETIME > self.latest
            });
            if let Some((other, _)) = living {
                anyhow::bail!("{request} was stored as {seq}, though its key lives with order {other}");
            }
        }
        let owed = self.subscriptions.iter().filter(|(_, subscription)| subscription.wants(sought.currency));
        let owed = owed.map(|(subscription, _)| *subscription).collect();
        let order = OrderTruth {
            id,
            time,
            request: request.to_owned(),
            owed,
            escalated_to: BTreeSet::new(),
            delivered_to: BTreeSet::new(),
        };
        self.orders.insert(seq, order);
        Ok(())
    }

    pub(super) fn published(&mut self, through: i64, before: i64) -> Result<()> {
        ensure!(
            before == self.published_through && through > before,
            "the relay went from {before} to {through}"
        );
        self.published_through = through;
        Ok(())
    }

    /// Every order that the relay has passed is owed to everyone it must be.
    pub(super) fn all_published_is_owed(&self) -> Result<()> {
        for (seq, order) in self.orders.range(..=self.published_through).rev().take(64) {
            let missing: Vec<_> = order.owed.difference(&order.delivered_to).collect();
            ensure!(
                missing.is_empty() || self.is_aside("orders", *seq),
                "order {seq} was published without deliveries to subscriptions {missing:?}"
            );
        }
        Ok(())
    }

    /// A client was answered.
    pub(crate) fn placed(&mut self, request: &str, answer: &Result<Placed, Error>) -> Result<()> {
        match answer {
            Ok(placed) => {
                let stored = self.orders.values().find(|order| order.id == placed.id);
                let stored =
                    stored.with_context(|| format!("{request} was answered, and its order is not stored"))?;
                let (first, again) = (&self.sought[&stored.request], &self.sought[request]);
                ensure!(first == again, "{request} was answered with another's order, {}", stored.request);
                ensure!(placed.repeated != (stored.request == request), "{request} was answered {placed:?}");
                Ok(())
            }
            Err(error) if matches!(error.kind, ErrorKind::Busy | ErrorKind::StorageFull) => {
                ensure!(
                    self.orders.values().all(|order| order.request != request),
                    "{request} was refused, and is stored"
                );
                self.refused.insert(request.to_owned());
                Ok(())
            }
            Err(error) if error.code == "idempotency_key_reused" => {
                let sought = &self.sought[request];
                let other = self.orders.values().map(|order| &self.sought[&order.request]);
                let mut reused =
                    other.filter(|other| other.key == sought.key && other.currency != sought.currency);
                ensure!(
                    reused.next().is_some(),
                    "{request} was told that its key was used for another order"
                );
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }
}
