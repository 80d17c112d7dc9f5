//! What is due, a few of each subscription, so that one with a million due deliveries hides no other.
//!
//! The subscriptions that something is due to stand in an index, longest due first; those that wait for later are not
//! looked at, however many they are.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

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

const DUE_SUBSCRIPTIONS: &str = "SELECT seq, id, next_at FROM subscriptions INDEXED BY subscriptions_due \
     WHERE protocol = ? AND next_at <= ? ORDER BY next_at, seq";
const NEXT_DUE: &str = "SELECT id, next_at FROM subscriptions INDEXED BY subscriptions_due \
     WHERE protocol = ? AND next_at > ? ORDER BY next_at";
/// Due subscriptions whose protocol is no known one: those between the names of two.
const UNKNOWN_PROTOCOL: &str = "SELECT seq, next_at FROM subscriptions INDEXED BY subscriptions_due \
     WHERE protocol > ? AND protocol < ? AND next_at IS NOT NULL LIMIT ?";
/// Sorts behind the name of any protocol.
const AFTER_ALL_NAMES: &str = "\u{10ffff}";
static FIND_SUBSCRIPTION: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE seq = ?"));
static PENDING_DELIVERIES: LazyLock<String> = LazyLock::new(|| waiting("deliveries_due", ""));
/// The pending confirmation requests of a subscription: while it is not confirmed, it is sent nothing else.
static PENDING_CONFIRMATIONS: LazyLock<String> =
    LazyLock::new(|| waiting("deliveries_confirmation_requests", "AND kind = 'confirmation'"));

/// A subscription that something is due to.
struct DueSubscription {
    seq: i64,
    since: i64,
}

/// The due deliveries and the unreadable rows that were found.
#[derive(Default)]
struct Collected {
    due: Due,
    /// The orders that were read so far, by their places: each is read once, however many are told of it.
    orders: HashMap<i64, Arc<Order>>,
    /// The deliveries that are not wanted.
    skipped: HashSet<DeliveryId>,
    unreadable: Vec<Unreadable>,
}

/// What is due, and what was met on the way that cannot be read.
pub(crate) fn due(connection: &Connection, query: &DueQuery) -> rusqlite::Result<(Due, Vec<Unreadable>)> {
    let skipped: HashSet<_> = query.skip_endpoints.iter().copied().collect();
    let skipped_deliveries = query.skip_deliveries.iter().copied().collect();
    let mut found = Collected { skipped: skipped_deliveries, ..Collected::default() };
    let mut due = Vec::new();
    let asked = || Protocol::ALL.into_iter().filter(|protocol| !query.skip_protocols.contains(protocol));
    // An equal share for each protocol, so that one with very many endpoints hides no other.
    let most = query.limit / asked().count().max(1);
    for protocol in asked() {
        let of_protocol = due_subscriptions_of(connection, protocol, query, &skipped)?;
        due.extend(of_protocol.into_iter().enumerate().map(|(place, due)| (place >= most, due)));
        found.comes_later(later(connection, protocol, query.now, &skipped)?);
    }
    due.extend(unknown_protocols(connection)?.into_iter().map(|due| (false, due)));
    due.sort_unstable_by_key(|(beyond, due)| (*beyond, due.since, due.seq));
    due.truncate(query.limit);
    due.sort_unstable_by_key(|(_, due)| (due.since, due.seq));
    // An equal share for everyone, so that many long backlogs leave room for the others.
    let share = (query.limit / due.len().max(1)).clamp(1, query.per_endpoint.max(1));
    for (_, due) in due {
        let room = query.limit.saturating_sub(found.due.deliveries.len()).min(share);
        found.take(connection, &due, query.now, room)?;
    }
    Ok((found.due, found.unreadable))
}

/// Those that something is due to, longest first: at most as many as are wanted deliveries.
fn due_subscriptions_of(
    connection: &Connection,
    protocol: Protocol,
    query: &DueQuery,
    skipped: &HashSet<SubscriptionId>,
) -> rusqlite::Result<Vec<DueSubscription>> {
    let mut statement = connection.prepare_cached(DUE_SUBSCRIPTIONS)?;
    let mut rows = statement.query(params![protocol.name(), micros(query.now)])?;
    let mut due = Vec::new();
    while due.len() < query.limit
        && let Some(row) = rows.next()?
    {
        if !is_skipped(row, skipped) {
            due.push(DueSubscription { seq: row.get("seq")?, since: row.get("next_at")? });
        }
    }
    Ok(due)
}

/// Those over a protocol that nobody knows: whoever reads them quarantines them.
fn unknown_protocols(connection: &Connection) -> rusqlite::Result<Vec<DueSubscription>> {
    let mut names = Protocol::ALL.map(Protocol::name).to_vec();
    names.extend(["", AFTER_ALL_NAMES]);
    names.sort_unstable();
    let mut statement = connection.prepare_cached(UNKNOWN_PROTOCOL)?;
    let mut found = Vec::new();
    for (from, to) in names.iter().zip(names.iter().skip(1)) {
        let mut rows =
            statement.query(params![from, to, i64::try_from(QUARANTINE_BATCH_SIZE).unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            found.push(DueSubscription { seq: row.get("seq")?, since: row.get("next_at")? });
        }
    }
    Ok(found)
}

/// When something is due first to those that nothing is due to yet.
fn later(
    connection: &Connection,
    protocol: Protocol,
    now: Timestamp,
    skipped: &HashSet<SubscriptionId>,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(NEXT_DUE)?;
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

impl Collected {
    fn comes_later(&mut self, at: Option<i64>) {
        let at = at.and_then(|at| Timestamp::from_microsecond(at).ok());
        self.due.next_at = self.due.next_at.into_iter().chain(at).min();
    }

    /// Takes the first that are due to a subscription.
    fn take(
        &mut self,
        connection: &Connection,
        due: &DueSubscription,
        now: Timestamp,
        room: usize,
    ) -> rusqlite::Result<()> {
        let read = |row: &Row<'_>| read_row(Table::Subscriptions, due.seq, row, rows::subscription);
        let found = connection.prepare_cached(&FIND_SUBSCRIPTION)?.query_row([due.seq], read).optional()?;
        let Some(subscription) = found.and_then(|read| self.readable(read)) else { return Ok(()) };
        let subscription = Arc::new(subscription);
        let sql = match subscription.state {
            SubscriptionState::Confirmed => &PENDING_DELIVERIES,
            SubscriptionState::Pending => &PENDING_CONFIRMATIONS,
            // Someone changed it by hand.
            SubscriptionState::Suspended | SubscriptionState::Ended => return Ok(()),
        };
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([due.seq])?;
        let mut room = room;
        while room > 0
            && self.unreadable.len() < QUARANTINE_BATCH_SIZE
            && let Some(row) = rows.next()?
        {
            let at: i64 = row.get(DUE_AT)?;
            if at > micros(now) {
                self.comes_later(Some(at));
                break;
            }
            if columns::uuid(row, DELIVERY_ID).is_ok_and(|id| self.skipped.contains(&DeliveryId(id))) {
                continue;
            }
            let read = self.due_delivery(row, &subscription)?;
            if let Some(delivery) = self.readable(read) {
                self.due.deliveries.push(delivery);
                room -= 1;
            }
        }
        Ok(())
    }

    fn due_delivery(
        &mut self,
        row: &Row<'_>,
        subscription: &Arc<Subscription>,
    ) -> rusqlite::Result<Read<DueDelivery>> {
        let mut order = None;
        if let Some(seq) = row.get(ORDER_SEQ)? {
            match self.order(seq, row)? {
                Ok(read) => order = Some(read),
                Err(unreadable) => return Ok(Err(unreadable)),
            }
        }
        read_row(Table::Deliveries, row.get(DELIVERY_SEQ)?, row, |row| due_of(row, subscription, order))
    }

    fn order(&mut self, seq: i64, row: &Row<'_>) -> rusqlite::Result<Read<Arc<Order>>> {
        if let Some(order) = self.orders.get(&seq) {
            return Ok(Ok(Arc::clone(order)));
        }
        let read = read_row(Table::Orders, seq, row, rows::order)?;
        Ok(read.map(|logged| Arc::clone(self.orders.entry(seq).or_insert(Arc::new(logged.order)))))
    }

    /// Notes a row that cannot be read, and goes on.
    fn readable<T>(&mut self, read: Read<T>) -> Option<T> {
        read.map_err(|unreadable| self.unreadable.push(unreadable)).ok()
    }
}

/// The places of the columns of [`waiting`]: looking them up by name takes longer than reading them.
const ORDER_SEQ: usize = 0;
const DELIVERY_SEQ: usize = 5;
const DELIVERY_ID: usize = 6;
const KIND: usize = 7;
const NOTICE: usize = 8;
const ATTEMPTS: usize = 9;
const ATTEMPTS_USED: usize = 10;
const DUE_AT: usize = 11;

/// What waits for a subscription, longest first.
fn waiting(index: &str, and: &str) -> String {
    format!(
        "SELECT {ORDER_COLUMNS}, deliveries.seq AS delivery_seq, deliveries.id AS delivery_id, kind, notice, attempts, \
         attempts_used, at FROM deliveries INDEXED BY {index} LEFT JOIN orders ON orders.seq = deliveries.order_seq \
         WHERE subscription = ? AND deliveries.state = 'pending' AND quarantined = 0 {and} ORDER BY at, deliveries.seq"
    )
}

fn due_of(
    row: &Row<'_>,
    subscription: &Arc<Subscription>,
    order: Option<Arc<Order>>,
) -> rusqlite::Result<DueDelivery> {
    Ok(DueDelivery {
        id: DeliveryId(columns::uuid(row, DELIVERY_ID)?),
        kind: rows::kind(row, KIND)?,
        subscription: Arc::clone(subscription),
        order,
        notice: rows::notice(row, NOTICE)?,
        attempts: row.get(ATTEMPTS)?,
        attempts_used: columns::count(row, ATTEMPTS_USED)?,
        due_at: columns::time(row, DUE_AT)?,
    })
}
