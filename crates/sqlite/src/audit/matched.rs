//! Orders × the subscriptions they match, beside the deliveries there are.

use std::collections::BTreeMap;

use domain::delivery::DeliveryId;
use domain::order::{LoggedOrder, OrderId};
use domain::subscription::{SkipReason, Version, matches};
use oracle::Violation;
use oracle::matching::{self, Expected, Found};
use rusqlite::{Connection, Row};

use super::exception::{Exception, Findings};
use super::in_order::InOrder;
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

/// The subscriptions whose versions an order can match up to a place, so that those long ended cost little.
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
    let mut deliveries = snapshot.prepare(DELIVERIES)?;
    let mut found_of = InOrder::from(&mut deliveries, there)?;
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
            // The deliveries of the first of them may be under way: it is made in parts.
            if orders.unpublished.count == 1 {
                continue;
            }
            not_published(&mut found_of, &order, subscriptions, findings)?;
            continue;
        }
        if order.seq.0 > candidates.through {
            candidates = Candidates::from(order.seq.0, subscriptions);
        }
        compare(&mut found_of, &order, &candidates, subscriptions, &mut orders, findings)?;
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

/// Compares whom an order matched with the deliveries there are.
fn compare(
    there: &mut InOrder<'_, There>,
    order: &LoggedOrder,
    candidates: &Candidates<'_>,
    subscriptions: &Subscriptions,
    orders: &mut Orders,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<()> {
    let mut there: BTreeMap<_, _> = there.of(order.seq.0)?.into_iter().collect();
    for (seq, versions) in &candidates.versions {
        if matches(order, versions).is_err() {
            continue;
        }
        orders.matched += 1;
        let found = there.remove(seq).map(|(_, found)| found);
        if let Some(violation) = matching::judge(Expected::Matched, found) {
            let wrong = format!("{} (the order is at place {})", violation.wrong, order.seq.0);
            let missing = Exception::from(Violation { wrong, ..violation });
            let subscription = subscriptions.get(seq).map(|subscribed| subscribed.id);
            findings.add(missing.order(order.order.id).subscription(subscription));
        }
    }
    for (seq, (id, found)) in there {
        orders.escalated += u64::from(found.escalated);
        let subscribed = subscriptions.get(&seq);
        // Where versions cannot be read, nobody knows.
        let versions = subscribed.and_then(|subscribed| subscribed.versions.as_deref());
        let expected = match versions.map(|versions| matches(order, versions)) {
            Some(Err(why)) => Expected::NotMatched(because(&why)),
            Some(Ok(())) | None => Expected::Unknown,
        };
        if let Some(violation) = matching::judge(expected, Some(found)) {
            let unmatched = Exception::from(violation).order(order.order.id).delivery(id);
            findings.add(unmatched.subscription(subscribed.map(|subscribed| subscribed.id)));
        }
    }
    Ok(())
}

fn not_published(
    there: &mut InOrder<'_, There>,
    order: &LoggedOrder,
    subscriptions: &Subscriptions,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<()> {
    for (seq, (id, _)) in there.of(order.seq.0)? {
        let early = Exception::from(matching::before_publishing());
        let subscription = subscriptions.get(&seq).map(|subscribed| subscribed.id);
        findings.add(early.order(order.order.id).subscription(subscription).delivery(id));
    }
    Ok(())
}

/// A delivery of an order: whose subscription it is for, its id, and what it is there for.
type There = (i64, (Option<DeliveryId>, Found));

/// Every delivery of an order, by the orders.
const DELIVERIES: &str = "SELECT order_seq, subscription, id, escalated_from IS NOT NULL AND EXISTS \
     (SELECT 1 FROM deliveries earlier \
     WHERE earlier.seq = deliveries.escalated_from AND earlier.order_seq = deliveries.order_seq), quarantined \
     FROM deliveries WHERE order_seq IS NOT NULL ORDER BY order_seq";

fn there(_: i64, row: &Row<'_>) -> rusqlite::Result<There> {
    let id = columns::uuid(row, 2).ok().map(DeliveryId);
    Ok((row.get(1)?, (id, Found { escalated: row.get(3)?, undecided: row.get(4)? })))
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
