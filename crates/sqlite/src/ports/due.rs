//! What is due, a few of each subscription, so that one with a million due deliveries hides no other.

use application::ports::{Due, DueDelivery, DueQuery};
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::order::Order;
use domain::subscription::{Subscription, SubscriptionState};
use rusqlite::{Connection, Row, params};

use super::sift;
use crate::columns::{self, micros};
use crate::rows::{self, ORDER_COLUMNS, SUBSCRIPTION_COLUMNS};
use crate::unreadable::{Read, Table, Unreadable, read_row};

/// The most deliveries of a subscription that are set aside in one go.
const SET_ASIDE_AT_ONCE: usize = 1_000;

/// The subscriptions with pending deliveries: found by leaping through the index from one to the next, however many
/// deliveries each has.
const WAITING: &str = "WITH RECURSIVE waiting (subscription) AS (
       SELECT min(subscription) FROM deliveries WHERE state = 'pending'
       UNION ALL
       SELECT (SELECT min(subscription) FROM deliveries WHERE state = 'pending' AND subscription > waiting.subscription)
       FROM waiting WHERE waiting.subscription IS NOT NULL
     )";

/// A subscription that was never confirmed, or no longer is, is owed only the question.
const MAY_BE_SENT: &str = "deliveries.state = 'pending' AND deliveries.set_aside = 0 AND subscription = ?1 AND (?2 OR kind = 'confirmation')";

/// A subscription with pending deliveries that may be sent to it.
struct Waiting {
    seq: i64,
    confirmed: bool,
    subscription: Subscription,
}

/// What is due, and what was met on the way that cannot be read.
pub(super) fn due(connection: &Connection, query: &DueQuery) -> rusqlite::Result<(Due, Vec<Unreadable>)> {
    let mut due = Due::default();
    let (waiting, mut senseless) = waiting(connection, query)?;
    // An equal share for everyone, so that many long backlogs leave room for the others.
    let share = (query.limit / waiting.len().max(1)).clamp(1, query.per_endpoint.max(1));
    for waiting in waiting {
        let room = query.limit.saturating_sub(due.deliveries.len()).min(share);
        let (readable, unreadable) = first_due(connection, &waiting, query.now, room)?;
        due.deliveries.extend(readable);
        senseless.extend(unreadable);
        due.next_at = due.next_at.into_iter().chain(next_at(connection, &waiting, query.now)?).min();
    }
    Ok((due, senseless))
}

fn waiting(connection: &Connection, query: &DueQuery) -> rusqlite::Result<(Vec<Waiting>, Vec<Unreadable>)> {
    let sql = format!(
        "{WAITING} SELECT {SUBSCRIPTION_COLUMNS} FROM waiting JOIN subscriptions ON seq = waiting.subscription \
         WHERE subscriptions.state NOT IN ('suspended', 'ended') AND EXISTS (SELECT 1 FROM deliveries \
         WHERE state = 'pending' AND deliveries.subscription = waiting.subscription AND set_aside = 0) ORDER BY \
         (SELECT min(at) FROM deliveries WHERE state = 'pending' AND deliveries.subscription = waiting.subscription)"
    );
    let (mut found, senseless) = sift(connection.prepare_cached(&sql)?, (), |row| {
        let seq = row.get("subscription_seq")?;
        let read = read_row(Table::Subscriptions, seq, row, rows::subscription)?;
        Ok(read.map(|subscription| {
            let confirmed = subscription.state == SubscriptionState::Confirmed;
            Waiting { seq, confirmed, subscription }
        }))
    })?;
    found.retain(|Waiting { subscription, .. }| {
        !query.skip_endpoints.contains(&subscription.id)
            && !query.skip_protocols.contains(&subscription.endpoint.protocol())
    });
    Ok((found, senseless))
}

fn first_due(
    connection: &Connection,
    waiting: &Waiting,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<(Vec<DueDelivery>, Vec<Unreadable>)> {
    if limit == 0 {
        return Ok(Default::default());
    }
    let sql = format!(
        "SELECT {ORDER_COLUMNS}, deliveries.seq AS delivery_seq, deliveries.id AS delivery_id, kind, notice, attempts, spent, at FROM deliveries \
         LEFT JOIN orders ON orders.seq = deliveries.order_seq \
         WHERE {MAY_BE_SENT} AND at <= ?3 ORDER BY at, deliveries.seq"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(params![waiting.seq, waiting.confirmed, micros(now)])?;
    let (mut due, mut senseless) = (Vec::new(), Vec::new());
    while due.len() < limit
        && senseless.len() < SET_ASIDE_AT_ONCE
        && let Some(row) = found.next()?
    {
        match due_delivery(row, &waiting.subscription)? {
            Ok(delivery) => due.push(delivery),
            Err(unreadable) => senseless.push(unreadable),
        }
    }
    Ok((due, senseless))
}

fn due_delivery(row: &Row<'_>, subscription: &Subscription) -> rusqlite::Result<Read<DueDelivery>> {
    let mut order = None;
    if let Some(seq) = row.get("order_seq")? {
        match read_row(Table::Orders, seq, row, rows::order)? {
            Ok(read) => order = Some(read.order),
            Err(unreadable) => return Ok(Err(unreadable)),
        }
    }
    read_row(Table::Deliveries, row.get("delivery_seq")?, row, |row| due_of(row, subscription, order))
}

fn due_of(row: &Row<'_>, subscription: &Subscription, order: Option<Order>) -> rusqlite::Result<DueDelivery> {
    Ok(DueDelivery {
        id: DeliveryId(columns::uuid(row, "delivery_id")?),
        kind: rows::kind(row)?,
        subscription: subscription.clone(),
        order,
        notice: rows::notice(row)?,
        attempts: row.get("attempts")?,
        spent: columns::count(row, "spent")?,
        due_at: columns::time(row, "at")?,
    })
}

/// When the subscription's next delivery that is not yet due will be.
fn next_at(
    connection: &Connection,
    waiting: &Waiting,
    now: Timestamp,
) -> rusqlite::Result<Option<Timestamp>> {
    let sql = format!("SELECT min(at) AS at FROM deliveries WHERE {MAY_BE_SENT} AND at > ?3");
    connection.prepare_cached(&sql)?.query_row(params![waiting.seq, waiting.confirmed, micros(now)], |row| {
        // A time of no calendar never comes.
        Ok(columns::time_or_none(row, "at").unwrap_or_default())
    })
}
