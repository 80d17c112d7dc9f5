//! What is due, a few of each subscription, so that one with a million due deliveries hides no other.
//!
//! The subscriptions that something is due to stand in an index, longest due first; those that wait for later are not
//! looked at, however many they are.

use std::collections::HashSet;
use std::sync::LazyLock;

use application::ports::{Due, DueDelivery, DueQuery};
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::{self, micros};
use crate::rows::{self, ORDER_COLUMNS, SUBSCRIPTION_COLUMNS};

/// How many deliveries of a subscription that cannot be read are passed over to find one that can.
const PASSED_OVER: usize = 100;

const DUE: &str = "SELECT seq, id, next_at FROM subscriptions INDEXED BY subscriptions_due \
     WHERE protocol = ? AND next_at <= ? ORDER BY next_at, seq";
const LATER: &str = "SELECT id, next_at FROM subscriptions INDEXED BY subscriptions_due \
     WHERE protocol = ? AND next_at > ? ORDER BY next_at";
static SUBSCRIPTION: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE seq = ?"));
static WAITING: LazyLock<String> = LazyLock::new(|| waiting("deliveries_due", ""));
/// A subscription that was never confirmed, or no longer is, is owed only the question.
static ASKED: LazyLock<String> =
    LazyLock::new(|| waiting("deliveries_questions", "AND kind = 'confirmation'"));

/// A subscription that something is due to.
struct Head {
    seq: i64,
    since: i64,
}

/// What was found on the way.
#[derive(Default)]
struct Found {
    due: Due,
    unreadable: Vec<Unreadable>,
}

/// A row that cannot be read, and why not.
struct Unreadable {
    table: &'static str,
    seq: i64,
    reason: String,
}

pub(super) fn due(connection: &Connection, query: &DueQuery) -> rusqlite::Result<Due> {
    let skipped: HashSet<_> = query.skip_endpoints.iter().copied().collect();
    let mut found = Found::default();
    let mut heads = Vec::new();
    for protocol in Protocol::ALL.into_iter().filter(|protocol| !query.skip_protocols.contains(protocol)) {
        heads.extend(heads_of(connection, protocol, query, &skipped)?);
        found.comes_later(later(connection, protocol, query.now, &skipped)?);
    }
    heads.sort_unstable_by_key(|head| (head.since, head.seq));
    heads.truncate(query.limit);
    // An equal share for everyone, so that many long backlogs leave room for the others.
    let share = (query.limit / heads.len().max(1)).clamp(1, query.per_endpoint.max(1));
    for head in heads {
        let room = query.limit.saturating_sub(found.due.deliveries.len()).min(share);
        found.take(connection, &head, query.now, room)?;
    }
    set_aside(&found.unreadable);
    Ok(found.due)
}

/// Those that something is due to, longest first: at most as many as are wanted deliveries.
fn heads_of(
    connection: &Connection,
    protocol: Protocol,
    query: &DueQuery,
    skipped: &HashSet<SubscriptionId>,
) -> rusqlite::Result<Vec<Head>> {
    let mut statement = connection.prepare_cached(DUE)?;
    let mut rows = statement.query(params![protocol.name(), micros(query.now)])?;
    let mut heads = Vec::new();
    while heads.len() < query.limit
        && let Some(row) = rows.next()?
    {
        if !is_skipped(row, skipped) {
            heads.push(Head { seq: row.get("seq")?, since: row.get("next_at")? });
        }
    }
    Ok(heads)
}

/// When something is due first to those that nothing is due to yet.
fn later(
    connection: &Connection,
    protocol: Protocol,
    now: Timestamp,
    skipped: &HashSet<SubscriptionId>,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(LATER)?;
    let mut rows = statement.query(params![protocol.name(), micros(now)])?;
    while let Some(row) = rows.next()? {
        if !is_skipped(row, skipped) {
            return row.get("next_at").map(Some);
        }
    }
    Ok(None)
}

fn is_skipped(row: &Row<'_>, skipped: &HashSet<SubscriptionId>) -> bool {
    columns::uuid(row, "id").is_ok_and(|id| skipped.contains(&SubscriptionId(id)))
}

impl Found {
    fn comes_later(&mut self, at: Option<i64>) {
        let at = at.and_then(|at| Timestamp::from_microsecond(at).ok());
        self.due.next_at = self.due.next_at.into_iter().chain(at).min();
    }

    /// Takes the first that are due to a subscription.
    fn take(
        &mut self,
        connection: &Connection,
        head: &Head,
        now: Timestamp,
        room: usize,
    ) -> rusqlite::Result<()> {
        let found = connection.prepare_cached(&SUBSCRIPTION)?.query_row([head.seq], rows::subscription);
        let found = self.readable("subscriptions", head.seq, found.optional())?;
        let Some(subscription) = found.flatten() else { return Ok(()) };
        let sql = match subscription.state {
            SubscriptionState::Confirmed => &WAITING,
            SubscriptionState::Pending => &ASKED,
            // Someone changed it by hand.
            SubscriptionState::Suspended | SubscriptionState::Ended => return Ok(()),
        };
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([head.seq])?;
        let (mut room, mut passed_over) = (room, 0);
        while room > 0
            && passed_over < PASSED_OVER
            && let Some(row) = rows.next()?
        {
            let at: i64 = row.get("at")?;
            if at > micros(now) {
                self.comes_later(Some(at));
                break;
            }
            let (table, seq) = if columns::is_null(row, "order_id")? {
                ("deliveries", row.get("delivery_seq")?)
            } else {
                ("orders", row.get("order_seq")?)
            };
            match self.readable(table, seq, due_delivery(row, &subscription))? {
                Some(delivery) => {
                    self.due.deliveries.push(delivery);
                    room -= 1;
                }
                None => passed_over += 1,
            }
        }
        Ok(())
    }

    /// Notes a row that makes no sense, and goes on; what else can fail is an error.
    fn readable<T>(
        &mut self,
        table: &'static str,
        seq: i64,
        read: rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error @ (rusqlite::Error::SqliteFailure(..) | rusqlite::Error::SqlInputError { .. })) => {
                Err(error)
            }
            Err(error) => {
                self.unreadable.push(Unreadable { table, seq, reason: error.to_string() });
                Ok(None)
            }
        }
    }
}

/// What cannot be read hides nothing else.
fn set_aside(unreadable: &[Unreadable]) {
    if let Some(Unreadable { table, seq, reason }) = unreadable.first() {
        let count = unreadable.len();
        tracing::error!(count, table, seq, reason, "rows cannot be read: what is owed because of them waits");
    }
}

/// What waits for a subscription, longest first.
fn waiting(index: &str, and: &str) -> String {
    format!(
        "SELECT {ORDER_COLUMNS}, deliveries.seq AS delivery_seq, deliveries.id AS delivery_id, kind, notice, attempts, \
         spent, at FROM deliveries INDEXED BY {index} LEFT JOIN orders ON orders.seq = deliveries.order_seq \
         WHERE subscription = ? AND deliveries.state = 'pending' AND set_aside = 0 {and} ORDER BY at, deliveries.seq"
    )
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
