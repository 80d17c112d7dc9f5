//! Publishing: which orders match which subscriptions.

pub(crate) mod publish;

use std::mem;

use application::Error;
use application::ports::{Published, Publisher};
use async_trait::async_trait;
use domain::order::{LoggedOrder, Seq};
use domain::subscription::matches;
use tokio::task::yield_now;

use crate::Store;
use crate::failure::unreadable;
use crate::publishing::publish::{Candidates, NewDelivery, Publish, publish};
use crate::rows::Versions;
use crate::unreadable::Unreadable;
use crate::write::Transaction;

/// The most deliveries that one commit makes: a long run of orders, and an order that matches thousands, is published
/// in parts, so that new orders need not wait for it.
const DELIVERIES_AT_ONCE: usize = 1_000;
/// After so many comparisons, which take about a millisecond, others have their turn.
const COMPARED_AT_ONCE: usize = 4_096;

#[async_trait]
impl Publisher for Store {
    async fn publish(&self, orders: &[LoggedOrder]) -> Result<Published, Error> {
        self.publish_matching(orders).await
    }
}

impl Store {
    /// Makes a delivery of each order to every subscription whose version at its acceptance it matches.
    ///
    /// Versions are read before the write and may change in between, but only for the orders to come: no change touches
    /// what held when a stored order was accepted. Where a version cannot be read, a delivery that is quarantined
    /// stands for the one that may be missing.
    ///
    /// The cursor moves past an order with the last part of its deliveries: should it come to a crash before, the next
    /// start publishes it again.
    async fn publish_matching(&self, orders: &[LoggedOrder]) -> Result<Published, Error> {
        let Some(first) = orders.first() else { return Ok(Published::default()) };
        let candidates = self.current_candidates(first.seq).await?;
        let hidden: Vec<_> =
            candidates.versions.values().flat_map(Versions::all_unreadable).cloned().collect();
        let (mut published, mut part, mut compared) = (Published::default(), self.part(&hidden), 0);
        for order in orders {
            let already = published.deliveries;
            for (subscription, versions) in &*candidates.versions {
                compared += 1;
                if compared % COMPARED_AT_ONCE == 0 {
                    yield_now().await;
                }
                let quarantined = versions.hides(order.seq).is_some();
                if !quarantined && matches(order, &versions.readable).is_err() {
                    continue;
                }
                if part.deliveries.len() >= DELIVERIES_AT_ONCE {
                    let full = mem::replace(&mut part, self.part(&hidden));
                    self.publish_part(full).await?;
                }
                let id = self.options.randomness.delivery_id(part.now);
                let (subscription, order) = (*subscription, order.seq);
                part.deliveries.push(NewDelivery { id, subscription, order, quarantined });
                published.deliveries += 1;
            }
            if published.deliveries == already {
                published.unmatched.push(order.order.id);
            }
            part.orders.push(order.seq);
        }
        self.publish_part(part).await?;
        Ok(published)
    }

    async fn publish_part(&self, part: Publish) -> Result<(), Error> {
        let weight = part.deliveries.len();
        self.charge_orders(weight);
        let publish = move |transaction: &mut Transaction<'_>| {
            transaction.effects.deliveries |= publish(transaction.connection, &part)? > 0;
            Ok(())
        };
        self.write(weight, publish).await
    }

    fn part(&self, hidden: &[Unreadable]) -> Publish {
        let now = self.options.clock.now();
        Publish { orders: Vec::new(), deliveries: Vec::new(), hidden: hidden.to_vec(), now }
    }

    async fn current_candidates(&self, first: Seq) -> Result<Candidates, Error> {
        let kept = self.candidates().clone();
        let candidates = self
            .read_for_work(move |connection| Candidates::of(connection, first, kept).map_err(unreadable))
            .await?;
        *self.candidates() = Some(candidates.clone()).filter(Candidates::can_be_kept);
        Ok(candidates)
    }
}
