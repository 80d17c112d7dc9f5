//! Releasing what was quarantined and can be read again: what waited for it becomes due.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::delivery::CancelReason;
use domain::order::Seq;
use domain::retry::MAX_DELAY;
use domain::subscription::matches;
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::micros;
use crate::delivery_queue::next_due::refresh_each;
use crate::failure::Failure;
use crate::notices::incidents;
use crate::orders::spam::IS_SPAM;
use crate::rows::{self, ORDER_COLUMNS, VERSION_COLUMNS, VERSIONS, Versions};
use crate::unreadable::quarantine::quarantine_row;
use crate::unreadable::{Read, Table};
use crate::write::{Effects, MAX_ROWS_PER_WRITE, Progress};

/// A row that was quarantined and can be read again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mended {
    pub(crate) table: Table,
    pub(crate) row: i64,
    /// For an order that the relay had passed: its deliveries were made.
    pub(crate) published: bool,
}

/// Releases a delivery, and bounds its due time, which was not done while it was quarantined.
const RELEASE: &str = "UPDATE deliveries SET quarantined = 0, at = min(at, ?2) WHERE seq = ?1";
/// Cancels a delivery whose subscription ended while it waited, or whose order became spam.
const CANCEL: &str = "UPDATE deliveries SET state = 'cancelled', cancel_reason = ?3, at = ?2, escalates_at = NULL \
     WHERE seq = ?1 AND state IN ('pending', 'held')";
/// Sets when a released delivery escalates, if it had no such time while nobody could decide about it; not where it
/// escalated already.
const ESCALATES: &str = "UPDATE deliveries SET escalates_at = coalesce(escalates_at, (SELECT deliveries.created_at + \
     min(max(escalation_minutes, 1), 65535) * 60000000 FROM subscriptions WHERE subscriptions.seq = subscription)) \
     WHERE seq = ?1 AND kind = 'notification' AND state NOT IN ('delivered', 'sandboxed', 'cancelled') \
     AND not_escalated_at IS NULL AND NOT EXISTS (SELECT 1 FROM deliveries late WHERE late.escalated_from = deliveries.seq) \
     AND NOT EXISTS (SELECT 1 FROM interventions WHERE delivery = deliveries.seq AND kind = 'restored')";
/// Deletes a placeholder delivery that turned out not to match, with what people or a restore did to it.
const DELETE_PLACEHOLDER: [&str; 2] =
    ["DELETE FROM interventions WHERE delivery = ?", "DELETE FROM deliveries WHERE seq = ?"];

/// A delivery that waits for a row.
struct Waiting {
    seq: i64,
    subscription: i64,
    order: Option<i64>,
    /// Whether it matches was perhaps never asked.
    undecided: bool,
    /// Why it is not to be sent.
    over: Option<CancelReason>,
}

/// Decides about the next deliveries after a place that wait for a row. Once there are none left, the row leaves those
/// that are quarantined.
pub(crate) fn release(
    connection: &Connection,
    effects: &mut Effects,
    mended: Mended,
    after: i64,
    now: Timestamp,
) -> Result<Progress, Failure> {
    let Mended { table, row, .. } = mended;
    // An order that the relay has before it is read again.
    effects.orders |= table == Table::Orders;
    if rows::examine(connection, table, row)?.is_err() || passed_meanwhile(connection, mended)? {
        return Ok(Progress { count: 0, next: None });
    }
    let waiting = waiting(connection, table, row, after)?;
    let mut versions = BTreeMap::new();
    let mut released = 0;
    for delivery in &waiting {
        released += usize::from(decide(connection, delivery, &mut versions, now)?);
    }
    refresh_each(connection, waiting.iter().map(|delivery| delivery.subscription).collect::<BTreeSet<_>>())?;
    if waiting.len() == MAX_ROWS_PER_WRITE {
        let next = waiting.last().map(|delivery| delivery.seq);
        return Ok(Progress { count: released, next });
    }
    let sql = "DELETE FROM quarantine WHERE of_table = ? AND row = ?";
    if connection.prepare_cached(sql)?.execute(params![table.name(), row])? > 0 {
        metrics::gauge!("orderbell_rows_quarantined").decrement(1);
        tracing::info!(table = table.name(), row, released, "a quarantined row can be read again");
        if mended.published {
            incidents::unmatched(connection, Seq(row - 1), Seq(row), now)?;
        }
    }
    Ok(Progress { count: released, next: None })
}

/// Whether the relay passed an order after its caller looked, who so has not published it.
fn passed_meanwhile(connection: &Connection, mended: Mended) -> rusqlite::Result<bool> {
    if mended.table != Table::Orders || mended.published {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "SELECT published_through >= ?1 AND EXISTS (SELECT 1 FROM orders WHERE seq = ?1) FROM relay",
        )?
        .query_row([mended.row], |row| row.get(0))
}

fn waiting(connection: &Connection, table: Table, row: i64, after: i64) -> rusqlite::Result<Vec<Waiting>> {
    let of_row = match table {
        Table::Orders => "order_seq = ?1",
        Table::Subscriptions | Table::SubscriptionVersions => "subscription = ?1",
        Table::Deliveries => "deliveries.seq = ?1",
        // Nothing waits for these.
        _ => return Ok(Vec::new()),
    };
    let sql = format!(
        "SELECT deliveries.seq, subscription, order_seq, kind = 'notification' AND attempts = 0 \
         AND escalated_from IS NULL AND NOT EXISTS (SELECT 1 FROM deliveries late WHERE late.escalated_from = deliveries.seq) \
         AS undecided, subscriptions.state = 'ended' AS ended, {IS_SPAM} AS is_spam FROM deliveries \
         JOIN subscriptions ON subscriptions.seq = subscription WHERE {of_row} AND deliveries.quarantined = 1 \
         AND deliveries.seq > ?2 ORDER BY deliveries.seq LIMIT {MAX_ROWS_PER_WRITE}"
    );
    connection
        .prepare_cached(&sql)?
        .query_map([row, after], |row| {
            Ok(Waiting {
                seq: row.get("seq")?,
                subscription: row.get("subscription")?,
                order: row.get("order_seq")?,
                undecided: row.get("undecided")?,
                over: cancel_reason_of(row.get("ended")?, row.get("is_spam")?),
            })
        })?
        .collect()
}

fn cancel_reason_of(subscription_ended: bool, is_spam: bool) -> Option<CancelReason> {
    match (subscription_ended, is_spam) {
        (true, _) => Some(CancelReason::SubscriptionEnded),
        (false, true) => Some(CancelReason::Spam),
        (false, false) => None,
    }
}

/// Releases a delivery, or takes away what stood for one that did not match; it goes on waiting if something else that
/// it takes cannot be read. Answers whether it was released.
fn decide(
    connection: &Connection,
    delivery: &Waiting,
    versions: &mut BTreeMap<i64, Versions>,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let needs = [
        Some((Table::Deliveries, delivery.seq)),
        Some((Table::Subscriptions, delivery.subscription)),
        delivery.order.map(|order| (Table::Orders, order)),
    ];
    for (table, row) in needs.into_iter().flatten() {
        if let Err(unreadable) = rows::examine(connection, table, row)? {
            quarantine_row(connection, &unreadable, now)?;
            return Ok(false);
        }
    }
    if let Some(order) = delivery.order.filter(|_| delivery.undecided) {
        match matched_at_acceptance(connection, delivery.subscription, order, versions)? {
            Err(unreadable) => {
                quarantine_row(connection, &unreadable, now)?;
                return Ok(false);
            }
            Ok(false) => {
                for sql in DELETE_PLACEHOLDER {
                    connection.prepare_cached(sql)?.execute([delivery.seq])?;
                }
                incidents::unmatched(connection, Seq(order - 1), Seq(order), now)?;
                return Ok(false);
            }
            Ok(true) => {}
        }
    }
    if let Some(reason) = delivery.over {
        connection.prepare_cached(CANCEL)?.execute(params![delivery.seq, micros(now), reason.name()])?;
    }
    connection.prepare_cached(ESCALATES)?.execute([delivery.seq])?;
    let latest = micros(now.checked_add(MAX_DELAY).unwrap_or(Timestamp::MAX));
    connection.prepare_cached(RELEASE)?.execute([delivery.seq, latest])?;
    Ok(delivery.over.is_none())
}

/// Whether the order matched the subscription when it was accepted.
fn matched_at_acceptance(
    connection: &Connection,
    subscription: i64,
    order: i64,
    versions: &mut BTreeMap<i64, Versions>,
) -> rusqlite::Result<Read<bool>> {
    let versions = match versions.entry(subscription) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => unknown.insert(self::versions(connection, subscription)?),
    };
    if let Some(unreadable) = versions.hides(Seq(order)) {
        return Ok(Err(unreadable.clone()));
    }
    let sql = format!("SELECT {ORDER_COLUMNS} FROM orders WHERE seq = ?");
    let order = connection.prepare_cached(&sql)?.query_row([order], rows::order).optional()?;
    Ok(Ok(order.is_none_or(|order| matches(&order, &versions.readable).is_ok())))
}

fn versions(connection: &Connection, subscription: i64) -> rusqlite::Result<Versions> {
    let sql = format!("SELECT {VERSION_COLUMNS} FROM {VERSIONS} WHERE subscription = ?");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query([subscription])?;
    let mut versions = Versions::default();
    while let Some(row) = found.next()? {
        versions.add(row)?;
    }
    Ok(versions)
}
