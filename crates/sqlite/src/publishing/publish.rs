//! Owing deliveries for orders, in one commit with the relay's cursor.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use application::Error;
use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryId, DeliveryState};
use domain::order::Seq;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::micros;
use crate::delivery_queue::next_due::refresh_each;
use crate::failure::Failure;
use crate::notices::incidents;
use crate::orders::spam;
use crate::rows::{VERSION_COLUMNS, VERSIONS, Versions};
use crate::unreadable::Unreadable;
use crate::unreadable::quarantine::quarantine_row;

/// Orders that follow one another in the log, and the deliveries that they lead to.
#[derive(Debug)]
pub(crate) struct Publish {
    /// The orders' places.
    pub(crate) orders: Vec<Seq>,
    /// One for each subscription and order that matches it; those of the order that follows may be among them.
    pub(crate) deliveries: Vec<NewDelivery>,
    /// Why some of them are quarantined.
    pub(crate) hidden: Vec<Unreadable>,
    pub(crate) now: Timestamp,
}

/// A notification to insert, if there is none yet.
#[derive(Debug)]
pub(crate) struct NewDelivery {
    pub(crate) id: DeliveryId,
    /// The subscription's `seq` in its table.
    pub(crate) subscription: i64,
    pub(crate) order: Seq,
    /// Nobody can say yet whether it matches: it stands for a notification until what hides that is mended.
    pub(crate) quarantined: bool,
}

/// One for an order and a subscription, however often. As plain values: of what is inserted from a query, SQLite keeps each
/// page as it was before each row.
const INSERT_NOTIFICATION: &str = "INSERT INTO deliveries (id, kind, subscription, order_seq, state, cancel_reason, created_at, at, \
     escalates_at, quarantined) VALUES (?1, 'notification', ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8) \
     ON CONFLICT (order_seq, subscription) DO NOTHING";

/// What of a subscription its notifications go by; the times in microseconds.
const FIND_SUBSCRIBER: &str = "SELECT state = 'ended', min(max(escalation_minutes, 1), 65535) * 60000000 \
     FROM subscriptions WHERE seq = ?";

/// A subscription, as its notifications are made.
#[derive(Debug, Clone, Copy)]
struct Subscriber {
    ended: bool,
    escalates_after: Option<i64>,
}

/// How a notification begins: one to a subscription that ended since the order was accepted is not sent, nor one of an
/// order that is spam by now; what only stands there until it is known whether it matches is settled then all the same.
fn beginning(subscriber: Subscriber, is_spam: bool) -> (DeliveryState, Option<CancelReason>) {
    match subscriber {
        Subscriber { ended: true, .. } => (DeliveryState::Cancelled, Some(CancelReason::SubscriptionEnded)),
        _ if is_spam => (DeliveryState::Cancelled, Some(CancelReason::Spam)),
        _ => (DeliveryState::Pending, None),
    }
}

pub(crate) fn publish(connection: &Connection, publish: &Publish) -> Result<usize, Failure> {
    let cursor = connection
        .prepare_cached("SELECT published_through FROM relay")?
        .query_row((), |row| row.get(0))
        .map(Seq)?;
    let fresh = publish.orders.partition_point(|seq| *seq <= cursor);
    let fresh = publish.orders.get(fresh..).unwrap_or_default();
    if let Some(last) = fresh.last() {
        nothing_is_left_out(connection, cursor, fresh, *last)?;
        connection.prepare_cached("UPDATE relay SET published_through = ?")?.execute([last.0])?;
    }
    // In the same commit, so that whoever mends these finds all that waits for them.
    for unreadable in &publish.hidden {
        quarantine_row(connection, unreadable, publish.now)?;
    }
    let spam = spam::among(connection, publish.deliveries.iter().map(|delivery| delivery.order.0))?;
    let mut insert = connection.prepare_cached(INSERT_NOTIFICATION)?;
    let (mut inserted, mut subscribers) = (0, BTreeMap::new());
    for delivery in &publish.deliveries {
        let NewDelivery { id, subscription, order, quarantined } = delivery;
        let found = match subscribers.entry(*subscription) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(new) => *new.insert(subscriber(connection, *subscription)?),
        };
        let Some(subscriber) = found else { continue };
        let is_spam = spam.contains(&order.0);
        let (state, cancelled) = beginning(subscriber, is_spam);
        let now = micros(publish.now);
        let escalates_at = subscriber.escalates_after.filter(|_| !quarantined && !is_spam);
        inserted += insert.execute(params![
            id.0.as_bytes(),
            subscription,
            order.0,
            state.name(),
            cancelled.map(CancelReason::name),
            now,
            escalates_at.map(|after| now.saturating_add(after)),
            quarantined,
        ])?;
    }
    refresh_each(connection, subscribers.into_keys())?;
    if let Some(last) = fresh.last() {
        incidents::unmatched(connection, cursor, *last, publish.now)?;
    }
    Ok(inserted)
}

/// `None` if there is none.
fn subscriber(connection: &Connection, seq: i64) -> rusqlite::Result<Option<Subscriber>> {
    let read = |row: &Row<'_>| Ok(Subscriber { ended: row.get(0)?, escalates_after: row.get(1)? });
    connection.prepare_cached(FIND_SUBSCRIBER)?.query_row([seq], read).optional()
}

/// Places have gaps where storing failed, so that only the orders themselves can tell whether one is left out. Those that
/// are quarantined are published once they can be read.
fn nothing_is_left_out(
    connection: &Connection,
    cursor: Seq,
    fresh: &[Seq],
    last: Seq,
) -> Result<(), Failure> {
    let sql = "SELECT count(*) FROM orders WHERE seq > ? AND seq <= ? \
               AND NOT EXISTS (SELECT 1 FROM quarantine WHERE of_table = 'orders' AND row = orders.seq)";
    let stored: i64 = connection.prepare_cached(sql)?.query_row([cursor.0, last.0], |row| row.get(0))?;
    if i64::try_from(fresh.len()) == Ok(stored) && fresh.is_sorted_by(|one, next| one < next) {
        return Ok(());
    }
    let (given, cursor, last) = (fresh.len(), cursor.0, last.0);
    Err(Error::internal(format!("{given} of {stored} orders from {cursor} to {last} were published")).into())
}

/// The most versions that are kept; where there are more, they are read for each run.
const MAX_CACHED_VERSIONS: usize = 20_000;

/// The versions of each subscription, by its `seq`, that orders from a place on can match.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    from: Seq,
    /// How often versions had changed by then.
    changes: i64,
    pub(crate) versions: Arc<BTreeMap<i64, Versions>>,
}

impl Candidates {
    /// Those of now, for orders from `first` on: `kept`, as long as they are right.
    pub(crate) fn of(connection: &Connection, first: Seq, kept: Option<Self>) -> rusqlite::Result<Self> {
        let sql = "SELECT times FROM version_changes";
        let changes = connection.prepare_cached(sql)?.query_row((), |row| row.get(0))?;
        match kept.filter(|kept| kept.changes == changes && kept.from <= first) {
            Some(kept) => Ok(kept),
            None => Ok(Self { from: first, changes, versions: Arc::new(versions(connection, first)?) }),
        }
    }

    /// Whether so many can be kept. That one which cannot be read is mended counts as a change.
    pub(crate) fn can_be_kept(&self) -> bool {
        let many = |versions: &Versions| versions.readable.len() + versions.unreadable.len();
        self.versions.values().map(many).sum::<usize>() <= MAX_CACHED_VERSIONS
    }
}

/// A state that nobody knows may be one of those that match.
fn versions(connection: &Connection, first: Seq) -> rusqlite::Result<BTreeMap<i64, Versions>> {
    let sql = format!(
        "SELECT {VERSION_COLUMNS} FROM {VERSIONS} WHERE (to_seq IS NULL OR to_seq >= ?) \
         AND subscription_versions.state NOT IN ('pending', 'ended')"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query([first.0])?;
    let mut versions = BTreeMap::<_, Versions>::new();
    while let Some(row) = found.next()? {
        versions.entry(row.get("subscription")?).or_default().add(row)?;
    }
    Ok(versions)
}
