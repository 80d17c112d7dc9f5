//! Orders × the subscriptions owed, beside the deliveries there are.

use std::collections::BTreeMap;

use domain::delivery::DeliveryId;
use domain::order::{LoggedOrder, OrderId};
use domain::subscription::{SkipReason, Version, matches};
use rusqlite::{Connection, Row};

use super::exception::{Exception, ExceptionKind, Findings};
use super::subscriptions::{Subscribed, Subscriptions};
use super::summary::Queue;
use crate::columns;
use crate::rows::{self, ORDER_COLUMNS};
use crate::unreadable::{Table, read_row};

/// How many places of the log are looked at with the same candidates.
const STRETCH: i64 = 1_000;

/// What was counted on the way.
#[derive(Default)]
pub(super) struct Orders {
    pub(super) stored: u64,
    pub(super) matched: u64,
    pub(super) escalated: u64,
    pub(super) unpublished: Queue,
}

/// The subscriptions whose versions can owe an order up to a place, so that those long ended cost little.
struct Candidates<'a> {
    through: i64,
    versions: BTreeMap<i64, &'a [Version]>,
}

pub(super) fn check(
    snapshot: &Connection,
    subscriptions: &Subscriptions,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<Orders> {
    let published_through: i64 =
        snapshot.query_row("SELECT published_through FROM relay", (), |row| row.get(0))?;
    let mut statement = snapshot.prepare(&format!("SELECT {ORDER_COLUMNS} FROM orders ORDER BY seq"))?;
    let mut found = statement.query(())?;
    let mut orders = Orders::default();
    let quarantined = super::quarantine::orders(snapshot)?;
    let mut candidates = Candidates { through: i64::MIN, versions: BTreeMap::new() };
    while let Some(row) = found.next()? {
        orders.stored += 1;
        let order = match read_row(Table::Orders, row.get(0)?, row, rows::order)? {
            Ok(order) => order,
            Err(unreadable) => {
                let exception = findings.unreadable(&unreadable);
                findings.add(exception.order(columns::uuid(row, 1).ok().map(OrderId)));
                continue;
            }
        };
        if quarantined.contains(&order.seq.0) {
            // Published once the program has looked again; deliveries that were made before may be there.
            orders.unpublished.add(Some(order.order.time));
            continue;
        }
        if order.seq.0 > published_through {
            orders.unpublished.add(Some(order.order.time));
            // What the first of them owes may be under way: it is made in parts.
            if orders.unpublished.count == 1 {
                continue;
            }
            not_published(snapshot, &order, subscriptions, findings)?;
            continue;
        }
        if order.seq.0 > candidates.through {
            candidates = Candidates::from(order.seq.0, subscriptions);
        }
        compare(snapshot, &order, &candidates, subscriptions, &mut orders, findings)?;
    }
    Ok(orders)
}

impl<'a> Candidates<'a> {
    fn from(first: i64, subscriptions: &'a Subscriptions) -> Self {
        let through = first.saturating_add(STRETCH - 1);
        let holds =
            |version: &Version| version.from.0 <= through && version.to.is_none_or(|to| to.0 >= first);
        let candidate = |(seq, subscribed): (&i64, &'a Subscribed)| {
            let versions = subscribed.versions.as_deref()?;
            versions.iter().any(holds).then_some((*seq, versions))
        };
        Self { through, versions: subscriptions.iter().filter_map(candidate).collect() }
    }
}

/// A delivery of an order.
struct There {
    id: Option<DeliveryId>,
    /// Another delivery of the same order, which was not made in time, led to it.
    escalated: bool,
    /// It may only stand for one of which nobody could say whether it is owed.
    quarantined: bool,
}

/// Compares what an order owes with the deliveries there are.
fn compare(
    snapshot: &Connection,
    order: &LoggedOrder,
    candidates: &Candidates<'_>,
    subscriptions: &Subscriptions,
    orders: &mut Orders,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<()> {
    let mut there = deliveries(snapshot, order)?;
    for (seq, versions) in &candidates.versions {
        if matches(order, versions).is_err() {
            continue;
        }
        orders.matched += 1;
        if there.remove(seq).is_none() {
            let wrong = format!("the order (place {}) matched, and there is no delivery", order.seq.0);
            let missing = Exception::new(ExceptionKind::MissingDelivery, wrong);
            let subscription = subscriptions.get(seq).map(|subscribed| subscribed.id);
            findings.add(missing.order(order.order.id).subscription(subscription));
        }
    }
    for (seq, delivery) in there {
        if delivery.escalated {
            orders.escalated += 1;
            continue;
        }
        if delivery.quarantined {
            continue;
        }
        // Where versions cannot be read, nobody knows.
        let Some(subscribed) = subscriptions.get(&seq) else { continue };
        let Some(Err(why)) = subscribed.versions.as_deref().map(|versions| matches(order, versions)) else {
            continue;
        };
        let wrong = format!("the order did not match its subscription: {}", because(&why));
        let not_matched = Exception::new(ExceptionKind::SkipReason, wrong).order(order.order.id);
        findings.add(not_matched.subscription(subscribed.id).delivery(delivery.id));
    }
    Ok(())
}

fn not_published(
    snapshot: &Connection,
    order: &LoggedOrder,
    subscriptions: &Subscriptions,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<()> {
    for (seq, delivery) in deliveries(snapshot, order)? {
        let early = Exception::new(ExceptionKind::NotPublished, "it is there before its order was published");
        let subscription = subscriptions.get(&seq).map(|subscribed| subscribed.id);
        findings.add(early.order(order.order.id).subscription(subscription).delivery(delivery.id));
    }
    Ok(())
}

/// The deliveries of an order, by the `seq` of their subscriptions.
fn deliveries(snapshot: &Connection, order: &LoggedOrder) -> rusqlite::Result<BTreeMap<i64, There>> {
    let sql = "SELECT subscription, id, EXISTS (SELECT 1 FROM deliveries earlier \
               WHERE earlier.seq = deliveries.escalated_from AND earlier.order_seq = deliveries.order_seq), \
               quarantined FROM deliveries WHERE order_seq = ?";
    let there = |row: &Row<'_>| {
        let id = columns::uuid(row, 1).ok().map(DeliveryId);
        Ok((row.get(0)?, There { id, escalated: row.get(2)?, quarantined: row.get(3)? }))
    };
    snapshot.prepare_cached(sql)?.query_map([order.seq.0], there)?.collect()
}

fn because(why: &SkipReason) -> &'static str {
    match why {
        SkipReason::NotYetSubscribed => "it was not there yet",
        SkipReason::NotConfirmed => "it was not confirmed",
        SkipReason::Ended => "it had ended",
        SkipReason::NoticesOnly => "it is told of notices only",
        SkipReason::FilterPolicy { .. } => "its filter policy does not match",
    }
}
