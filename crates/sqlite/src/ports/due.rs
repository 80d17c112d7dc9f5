//! What is due, a few of each subscription, so that one with a million due deliveries hides no other.

use application::ports::{Due, DueDelivery, DueQuery};
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::subscription::{Subscription, SubscriptionState};
use rusqlite::{Connection, Row, params};

use super::all;
use crate::columns::{self, micros};
use crate::rows::{self, ORDER_COLUMNS, SUBSCRIPTION_COLUMNS};

/// The subscriptions with pending deliveries: found by leaping through the index from one to the next, however many
/// deliveries each has.
const WAITING: &str = "WITH RECURSIVE waiting (subscription) AS (
       SELECT min(subscription) FROM deliveries WHERE state = 'pending'
       UNION ALL
       SELECT (SELECT min(subscription) FROM deliveries WHERE state = 'pending' AND subscription > waiting.subscription)
       FROM waiting WHERE waiting.subscription IS NOT NULL
     )";

/// A subscription that was never confirmed, or no longer is, is owed only the question.
const MAY_BE_SENT: &str =
    "deliveries.state = 'pending' AND subscription = ?1 AND (?2 OR kind = 'confirmation')";

/// A subscription with pending deliveries that may be sent to it.
struct Waiting {
    seq: i64,
    confirmed: bool,
    subscription: Subscription,
}

pub(super) fn due(connection: &Connection, query: &DueQuery) -> rusqlite::Result<Due> {
    let mut due = Due::default();
    let waiting = waiting(connection, query)?;
    // An equal share for everyone, so that many long backlogs leave room for the others.
    let share = (query.limit / waiting.len().max(1)).clamp(1, query.per_endpoint.max(1));
    for waiting in waiting {
        let room = query.limit.saturating_sub(due.deliveries.len()).min(share);
        due.deliveries.extend(first_due(connection, &waiting, query.now, room)?);
        due.next_at = due.next_at.into_iter().chain(next_at(connection, &waiting, query.now)?).min();
    }
    Ok(due)
}

fn waiting(connection: &Connection, query: &DueQuery) -> rusqlite::Result<Vec<Waiting>> {
    let sql = format!(
        "{WAITING} SELECT {SUBSCRIPTION_COLUMNS} FROM waiting JOIN subscriptions ON seq = waiting.subscription \
         WHERE subscriptions.state IN ('pending', 'confirmed') ORDER BY \
         (SELECT min(at) FROM deliveries WHERE state = 'pending' AND deliveries.subscription = waiting.subscription)"
    );
    let mut found = all(connection.prepare_cached(&sql)?, (), |row| {
        let subscription = rows::subscription(row)?;
        let confirmed = subscription.state == SubscriptionState::Confirmed;
        Ok(Waiting { seq: row.get("subscription_seq")?, confirmed, subscription })
    })?;
    found.retain(|Waiting { subscription, .. }| {
        !query.skip_endpoints.contains(&subscription.id)
            && !query.skip_protocols.contains(&subscription.endpoint.protocol())
    });
    Ok(found)
}

fn first_due(
    connection: &Connection,
    waiting: &Waiting,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<DueDelivery>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {ORDER_COLUMNS}, deliveries.id AS delivery_id, kind, notice, attempts, spent, at FROM deliveries \
         LEFT JOIN orders ON orders.seq = deliveries.order_seq \
         WHERE {MAY_BE_SENT} AND at <= ?3 ORDER BY at, deliveries.seq LIMIT ?4"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let parameters = params![waiting.seq, waiting.confirmed, micros(now), limit];
    all(connection.prepare_cached(&sql)?, parameters, |row| due_delivery(row, &waiting.subscription))
}

fn due_delivery(row: &Row<'_>, subscription: &Subscription) -> rusqlite::Result<DueDelivery> {
    let order = if columns::is_null(row, "order_id")? { None } else { Some(rows::order(row)?.order) };
    Ok(DueDelivery {
        id: DeliveryId(columns::uuid(row, "delivery_id")?),
        kind: rows::kind(row)?,
        subscription: subscription.clone(),
        order,
        notice: rows::notice(row)?,
        attempts: row.get("attempts")?,
        spent: row.get("spent")?,
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
        columns::time_or_none(row, "at")
    })
}
