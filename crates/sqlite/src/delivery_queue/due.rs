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
use domain::order::Order;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::{self, micros};
use crate::rows::{self, ORDER_COLUMNS, SUBSCRIPTION_COLUMNS};
use crate::unreadable::{Read, Table, Unreadable, read_row};

/// The most rows that are quarantined in one go.
const QUARANTINE_BATCH_SIZE: usize = 1_000;

const DUE: &str = "SELECT seq, id, next_at FROM subscriptions INDEXED BY subscriptions_due \
     WHERE protocol = ? AND next_at <= ? ORDER BY next_at, seq";
const LATER: &str = "SELECT id, next_at FROM subscriptions INDEXED BY subscriptions_due \
     WHERE protocol = ? AND next_at > ? ORDER BY next_at";
/// Between the names of two protocols.
const STRAY: &str = "SELECT seq, next_at FROM subscriptions INDEXED BY subscriptions_due \
     WHERE protocol > ? AND protocol < ? AND next_at IS NOT NULL LIMIT ?";
/// Behind the name of any.
const LAST_NAME: &str = "\u{10ffff}";
static SUBSCRIPTION: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE seq = ?"));
static WAITING: LazyLock<String> = LazyLock::new(|| waiting("deliveries_due", ""));
/// A subscription that was never confirmed, or no longer is, is sent only the confirmation request.
static ASKED: LazyLock<String> =
    LazyLock::new(|| waiting("deliveries_confirmation_requests", "AND kind = 'confirmation'"));

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

/// What is due, and what was met on the way that cannot be read.
pub(crate) fn due(connection: &Connection, query: &DueQuery) -> rusqlite::Result<(Due, Vec<Unreadable>)> {
    let skipped: HashSet<_> = query.skip_endpoints.iter().copied().collect();
    let mut found = Found::default();
    let mut heads = Vec::new();
    let asked = || Protocol::ALL.into_iter().filter(|protocol| !query.skip_protocols.contains(protocol));
    // An equal share for each protocol, so that one with very many endpoints hides no other.
    let most = query.limit / asked().count().max(1);
    for protocol in asked() {
        let of_protocol = heads_of(connection, protocol, query, &skipped)?;
        heads.extend(of_protocol.into_iter().enumerate().map(|(place, head)| (place >= most, head)));
        found.comes_later(later(connection, protocol, query.now, &skipped)?);
    }
    heads.extend(strays(connection)?.into_iter().map(|head| (false, head)));
    heads.sort_unstable_by_key(|(beyond, head)| (*beyond, head.since, head.seq));
    heads.truncate(query.limit);
    heads.sort_unstable_by_key(|(_, head)| (head.since, head.seq));
    // An equal share for everyone, so that many long backlogs leave room for the others.
    let share = (query.limit / heads.len().max(1)).clamp(1, query.per_endpoint.max(1));
    for (_, head) in heads {
        let room = query.limit.saturating_sub(found.due.deliveries.len()).min(share);
        found.take(connection, &head, query.now, room)?;
    }
    Ok((found.due, found.unreadable))
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

/// Those over a protocol that nobody knows: whoever reads them quarantines them.
fn strays(connection: &Connection) -> rusqlite::Result<Vec<Head>> {
    let mut names = Protocol::ALL.map(Protocol::name).to_vec();
    names.extend(["", LAST_NAME]);
    names.sort_unstable();
    let mut statement = connection.prepare_cached(STRAY)?;
    let mut strays = Vec::new();
    for (from, to) in names.iter().zip(names.iter().skip(1)) {
        let mut rows =
            statement.query(params![from, to, i64::try_from(QUARANTINE_BATCH_SIZE).unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            strays.push(Head { seq: row.get("seq")?, since: row.get("next_at")? });
        }
    }
    Ok(strays)
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
        let read = |row: &Row<'_>| read_row(Table::Subscriptions, head.seq, row, rows::subscription);
        let found = connection.prepare_cached(&SUBSCRIPTION)?.query_row([head.seq], read).optional()?;
        let Some(subscription) = found.and_then(|read| self.readable(read)) else { return Ok(()) };
        let sql = match subscription.state {
            SubscriptionState::Confirmed => &WAITING,
            SubscriptionState::Pending => &ASKED,
            // Someone changed it by hand.
            SubscriptionState::Suspended | SubscriptionState::Ended => return Ok(()),
        };
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([head.seq])?;
        let mut room = room;
        while room > 0
            && self.unreadable.len() < QUARANTINE_BATCH_SIZE
            && let Some(row) = rows.next()?
        {
            let at: i64 = row.get("at")?;
            if at > micros(now) {
                self.comes_later(Some(at));
                break;
            }
            if let Some(delivery) = self.readable(due_delivery(row, &subscription)?) {
                self.due.deliveries.push(delivery);
                room -= 1;
            }
        }
        Ok(())
    }

    /// Notes a row that cannot be read, and goes on.
    fn readable<T>(&mut self, read: Read<T>) -> Option<T> {
        read.map_err(|unreadable| self.unreadable.push(unreadable)).ok()
    }
}

/// What waits for a subscription, longest first.
fn waiting(index: &str, and: &str) -> String {
    format!(
        "SELECT {ORDER_COLUMNS}, deliveries.seq AS delivery_seq, deliveries.id AS delivery_id, kind, notice, attempts, \
         attempts_used, at FROM deliveries INDEXED BY {index} LEFT JOIN orders ON orders.seq = deliveries.order_seq \
         WHERE subscription = ? AND deliveries.state = 'pending' AND quarantined = 0 {and} ORDER BY at, deliveries.seq"
    )
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
        attempts_used: columns::count(row, "attempts_used")?,
        due_at: columns::time(row, "at")?,
    })
}
