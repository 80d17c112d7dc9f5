//! Publishing: which subscriptions are owed which orders.

use std::collections::BTreeMap;

use application::Error;
use application::ports::Published;
use domain::order::{LoggedOrder, Seq};
use domain::subscription::owed;
use rusqlite::Connection;

use crate::Store;
use crate::apply::{Command, NewDelivery, Publish};
use crate::failure::unreadable;
use crate::rows::{VERSION_COLUMNS, VERSIONS, Versions};
use crate::unreadable::Unreadable;

/// About how many deliveries one command makes: a long run of orders is published in parts, so that new orders need not
/// wait for it.
const DELIVERIES_AT_ONCE: usize = 1_000;

impl Store {
    /// Owes the orders to every subscription whose version at their acceptance matches.
    ///
    /// Versions are read before the write and may change in between, but only for the orders to come: no change touches
    /// what held when a stored order was accepted. Where a version cannot be read, a delivery that is set aside stands for
    /// the one that may be owed.
    pub(super) async fn publish_matching(&self, orders: &[LoggedOrder]) -> Result<Published, Error> {
        let (Some(first), Some(last)) = (orders.first(), orders.last()) else {
            return Ok(Published::default());
        };
        let (first, last) = (first.seq, last.seq);
        let candidates =
            self.read(move |connection| candidates(connection, first, last).map_err(unreadable)).await?;
        let hidden: Vec<_> = candidates.values().flat_map(Versions::all_unreadable).cloned().collect();
        let mut published = Published::default();
        let mut part = self.part(&hidden);
        for order in orders {
            let already = part.deliveries.len();
            for (subscription, versions) in &candidates {
                let set_aside = versions.hides(order.seq).is_some();
                if set_aside || owed(order, &versions.readable).is_ok() {
                    let id = self.options.randomness.delivery_id(part.now);
                    let (subscription, order) = (*subscription, order.seq);
                    part.deliveries.push(NewDelivery { id, subscription, order, set_aside });
                }
            }
            if part.deliveries.len() == already {
                published.unmatched.push(order.order.id);
            }
            published.deliveries += part.deliveries.len() - already;
            part.orders.push(order.seq);
            if part.deliveries.len() >= DELIVERIES_AT_ONCE {
                self.write(Command::Publish(std::mem::replace(&mut part, self.part(&hidden)))).await?;
            }
        }
        if !part.orders.is_empty() {
            self.write(Command::Publish(part)).await?;
        }
        Ok(published)
    }

    fn part(&self, hidden: &[Unreadable]) -> Publish {
        let now = self.options.clock.now();
        Publish { orders: Vec::new(), deliveries: Vec::new(), hidden: hidden.to_vec(), now }
    }
}

/// The versions that can owe orders from `first` to `last`, for each subscription by its `seq`. A state that nobody knows
/// may be one of those.
fn candidates(connection: &Connection, first: Seq, last: Seq) -> rusqlite::Result<BTreeMap<i64, Versions>> {
    let sql = format!(
        "SELECT {VERSION_COLUMNS} FROM {VERSIONS} WHERE (to_seq IS NULL OR to_seq >= ?) AND from_seq <= ? \
         AND subscription_versions.state NOT IN ('pending', 'ended')"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query([first.0, last.0])?;
    let mut candidates = BTreeMap::<_, Versions>::new();
    while let Some(row) = found.next()? {
        candidates.entry(row.get("subscription")?).or_default().add(row)?;
    }
    Ok(candidates)
}
