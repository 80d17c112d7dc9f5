//! Publishing: which subscriptions are owed which orders.

use std::collections::BTreeMap;

use application::Error;
use application::ports::Published;
use domain::order::{LoggedOrder, Seq};
use domain::subscription::{Version, owed};
use rusqlite::Connection;

use crate::Store;
use crate::apply::{Command, NewDelivery, Publish};
use crate::failure::unreadable;
use crate::ports::all;
use crate::rows;

/// About how many deliveries one command makes: a long run of orders is published in parts, so that new orders need not
/// wait for it.
const DELIVERIES_AT_ONCE: usize = 1_000;

impl Store {
    /// Owes the orders to every subscription whose version at their acceptance matches.
    ///
    /// Versions are read before the write and may change in between, but only for the orders to come: no change touches
    /// what held when a stored order was accepted.
    pub(super) async fn publish_matching(&self, orders: &[LoggedOrder]) -> Result<Published, Error> {
        let (Some(first), Some(last)) = (orders.first(), orders.last()) else {
            return Ok(Published::default());
        };
        let (first, last) = (first.seq, last.seq);
        let candidates = self
            .read_for_work(move |connection| candidates(connection, first, last).map_err(unreadable))
            .await?;
        let mut published = Published::default();
        let mut part = self.part();
        for order in orders {
            let owed_to = candidates.iter().filter(|(_, versions)| owed(order, versions).is_ok());
            let already = part.deliveries.len();
            part.deliveries.extend(owed_to.map(|(subscription, _)| NewDelivery {
                id: self.options.randomness.delivery_id(part.now),
                subscription: *subscription,
                order: order.seq,
            }));
            if part.deliveries.len() == already {
                published.unmatched.push(order.order.id);
            }
            published.deliveries += part.deliveries.len() - already;
            part.orders.push(order.seq);
            if part.deliveries.len() >= DELIVERIES_AT_ONCE {
                self.write(Command::Publish(std::mem::replace(&mut part, self.part()))).await?;
            }
        }
        if !part.orders.is_empty() {
            self.write(Command::Publish(part)).await?;
        }
        Ok(published)
    }

    fn part(&self) -> Publish {
        Publish { orders: Vec::new(), deliveries: Vec::new(), now: self.options.clock.now() }
    }
}

/// The versions that can owe orders from `first` to `last`, for each subscription by its `seq`.
fn candidates(
    connection: &Connection,
    first: Seq,
    last: Seq,
) -> rusqlite::Result<BTreeMap<i64, Vec<Version>>> {
    let sql = "SELECT subscription, subscriptions.id AS subscription_id, from_seq, to_seq, \
               subscription_versions.state, subscription_versions.filter_policy, receives \
               FROM subscription_versions JOIN subscriptions ON subscriptions.seq = subscription \
               WHERE (to_seq IS NULL OR to_seq >= ?) AND from_seq <= ? \
               AND subscription_versions.state IN ('confirmed', 'suspended')";
    let rows = all(connection.prepare_cached(sql)?, [first.0, last.0], |row| {
        Ok((row.get::<_, i64>("subscription")?, rows::version(row)?))
    })?;
    let mut candidates = BTreeMap::<_, Vec<_>>::new();
    for (subscription, version) in rows {
        candidates.entry(subscription).or_default().push(version);
    }
    Ok(candidates)
}
