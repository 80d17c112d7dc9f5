//! Marking orders as spam, and cancelling what waits for them, a few rows at a time: a flood may be thousands of
//! orders, and each with thousands of deliveries.

use std::collections::{BTreeMap, BTreeSet};

use application::Error;
use application::ports::{SpamFilter, SpamMark, SpamMarks, SpamSelection};
use async_trait::async_trait;
use domain::Timestamp;
use domain::order::OrderId;
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::micros;
use crate::delivery_queue::next_due::refresh_each;
use crate::failure::{Failure, unreadable};
use crate::orders::time_span::places;
use crate::write::{Effects, FollowUp, MAX_ROWS_PER_WRITE, Progress, Transaction};
use crate::{Store, columns};

/// Whether a delivery is of an order that is spam.
pub(crate) const IS_SPAM: &str = "EXISTS (SELECT 1 FROM spam WHERE spam.order_seq = deliveries.order_seq \
     AND unmarked_at IS NULL)";

/// What is marked already stays as it is.
const MARK: &str = "INSERT INTO spam (order_seq, marked_at) VALUES (?1, ?2) ON CONFLICT (order_seq) DO UPDATE SET \
     marked_at = excluded.marked_at, unmarked_at = NULL, cancelled_through = 0 WHERE unmarked_at IS NOT NULL";
const UNMARK: &str = "UPDATE spam SET unmarked_at = ?2, cancelled_through = NULL \
     WHERE order_seq = ?1 AND unmarked_at IS NULL";

/// Deletes sweeps that are over, once another begins a day later: until then someone may wait for their counts.
const DELETE_OLD_SWEEPS: &str =
    "DELETE FROM spam_sweeps WHERE next_seq > last_seq AND asked_at < ? - 86400000000";
const BEGIN_SWEEP: &str = "INSERT INTO spam_sweeps (asked_at, from_at, to_at, customer_name, customer_email, \
     customer_phone, next_seq, last_seq) VALUES (?, ?, ?, ?, ?, ?, ?, min(?, (SELECT coalesce(max(seq), 0) FROM orders)))";
/// The next orders of a sweep, each with whether it fits the filter. A body that is no JSON is that of no customer.
const NEXT_ORDERS_OF_SWEEP: &str = "SELECT orders.seq, spam_sweeps.asked_at, (from_at IS NULL OR order_time >= from_at) \
     AND (to_at IS NULL OR order_time < to_at) \
     AND (customer_name IS NULL OR customer_name IS CASE WHEN json_valid(body) THEN body ->> '$.customerName' END) \
     AND (customer_email IS NULL OR customer_email IS CASE WHEN json_valid(body) THEN body ->> '$.customerEmail' END) \
     AND (customer_phone IS NULL OR customer_phone IS CASE WHEN json_valid(body) THEN body ->> '$.customerPhone' END) \
     FROM spam_sweeps CROSS JOIN orders WHERE spam_sweeps.seq = ?1 AND orders.seq BETWEEN next_seq AND last_seq \
     ORDER BY orders.seq LIMIT ?2";
const ADVANCE_SWEEP: &str = "UPDATE spam_sweeps SET next_seq = coalesce(?2, last_seq) + 1, marked = marked + ?3 WHERE seq = ?1 \
     RETURNING marked";

const NEXT_TO_CANCEL: &str = "SELECT order_seq, marked_at, cancelled_through FROM spam INDEXED BY spam_to_cancel \
     WHERE cancelled_through IS NOT NULL ORDER BY order_seq LIMIT 1";
const NEXT_DELIVERIES: &str = "SELECT seq, subscription, state IN ('pending', 'held') FROM deliveries \
     WHERE order_seq = ? AND subscription > ? ORDER BY subscription LIMIT ?";
/// Cancels a delivery. One that only stands there until it is known whether it matched is taken away or released then
/// all the same.
const CANCEL: &str = "UPDATE deliveries SET state = 'cancelled', cancel_reason = 'spam', at = max(?2, created_at), \
     escalates_at = NULL WHERE seq = ?1";
const CANCELLED_THROUGH: &str = "UPDATE spam SET cancelled_through = ?2 WHERE order_seq = ?1";

/// Those of these orders that are spam, by their places.
pub(crate) fn among(
    connection: &Connection,
    orders: impl Iterator<Item = i64> + Clone,
) -> rusqlite::Result<BTreeSet<i64>> {
    let (Some(first), Some(last)) = (orders.clone().min(), orders.max()) else { return Ok(BTreeSet::new()) };
    let sql = "SELECT order_seq FROM spam WHERE order_seq BETWEEN ? AND ? AND unmarked_at IS NULL";
    connection.prepare_cached(sql)?.query_map([first, last], |row| row.get(0))?.collect()
}

/// Marks one, and cancels as much of what waits for it as this commit has room for.
pub(crate) fn mark_one(
    connection: &Connection,
    effects: &mut Effects,
    id: OrderId,
    now: Timestamp,
) -> Result<usize, Failure> {
    let marked = connection.prepare_cached(MARK)?.execute([seq_of(connection, id)?, micros(now)])?;
    let room = effects.row_budget;
    effects.row_budget -= cancel(connection, effects, room)?.min(room);
    Ok(marked)
}

/// Takes a mark back.
pub(crate) fn unmark(connection: &Connection, id: OrderId, now: Timestamp) -> Result<(), Failure> {
    connection.prepare_cached(UNMARK)?.execute([seq_of(connection, id)?, micros(now)])?;
    Ok(())
}

/// The place of the order of that id in the log.
pub(crate) fn seq_of(connection: &Connection, id: OrderId) -> Result<i64, Failure> {
    let sql = "SELECT seq FROM orders WHERE id = ?";
    let found = connection.prepare_cached(sql)?.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?;
    Ok(found.ok_or_else(|| Error::not_found("order_not_found", "order"))?)
}

/// Begins to mark what fits a filter among the orders that there are, of which its time's are from the first place to the
/// last; answers under which number.
pub(crate) fn begin_sweep(
    connection: &Connection,
    effects: &mut Effects,
    filter: &SpamFilter,
    (first, last): (i64, i64),
    now: Timestamp,
) -> Result<i64, Failure> {
    connection.prepare_cached(DELETE_OLD_SWEEPS)?.execute([micros(now)])?;
    let SpamFilter { from, to, customer_name, customer_email, customer_phone } = filter;
    let (from, to) = (from.map(micros), to.map(micros));
    let parameters =
        params![micros(now), from, to, customer_name, customer_email, customer_phone, first, last];
    connection.prepare_cached(BEGIN_SWEEP)?.execute(parameters)?;
    let sweep = connection.last_insert_rowid();
    effects.follow_ups.push(sweep_follow_up(sweep));
    Ok(sweep)
}

/// Looks at the next orders of a sweep; answers how many it has marked, and the sweep, unless it is over.
pub(crate) fn sweep(
    connection: &Connection,
    effects: &mut Effects,
    sweep: i64,
    unasked: bool,
) -> Result<Progress, Failure> {
    let mut statement = connection.prepare_cached(NEXT_ORDERS_OF_SWEEP)?;
    let at_once = i64::try_from(MAX_ROWS_PER_WRITE).unwrap_or(i64::MAX);
    let seen = statement.query_map([sweep, at_once], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
    })?;
    let seen = seen.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut mark = connection.prepare_cached(MARK)?;
    let mut marked = 0;
    for (order, asked_at, _) in seen.iter().filter(|(.., fits)| *fits) {
        marked += mark.execute([order, asked_at])?;
    }
    let last = seen.last().map(|(order, ..)| *order).filter(|_| seen.len() == MAX_ROWS_PER_WRITE);
    match last {
        Some(_) if unasked => effects.follow_ups.push(sweep_follow_up(sweep)),
        Some(_) => {}
        // All is marked before any of it is cancelled: from then on none of it is sent.
        None => effects.follow_ups.push(cancel_follow_up()),
    }
    let marked = i64::try_from(marked).unwrap_or(i64::MAX);
    let in_all = connection
        .prepare_cached(ADVANCE_SWEEP)?
        .query_row(params![sweep, last, marked], |row| row.get::<_, i64>(0))
        .optional()?;
    let count = usize::try_from(in_all.unwrap_or_default()).unwrap_or_default();
    Ok(Progress { count, next: last.map(|_| sweep) })
}

/// Marks the next orders of a sweep where nobody asks for them.
fn sweep_follow_up(sweep: i64) -> FollowUp {
    FollowUp::new(move |transaction| {
        self::sweep(transaction.connection, transaction.effects, sweep, true)?;
        Ok(())
    })
}

/// Cancels the next of what waits for orders that are spam.
fn cancel_follow_up() -> FollowUp {
    FollowUp::new(|transaction| {
        cancel(transaction.connection, transaction.effects, MAX_ROWS_PER_WRITE)?;
        Ok(())
    })
}

/// Looks at so many rows at most; answers at how many it did.
fn cancel(connection: &Connection, effects: &mut Effects, room: usize) -> rusqlite::Result<usize> {
    let (mut seen, mut subscriptions) = (0, BTreeSet::new());
    while seen < room {
        let next = connection
            .prepare_cached(NEXT_TO_CANCEL)?
            .query_row((), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)));
        let Some((order, at, through)) = next.optional()? else { break };
        let most = room - seen;
        let through = cancel_of(connection, (order, at), through, most, &mut subscriptions)?;
        connection.prepare_cached(CANCELLED_THROUGH)?.execute(params![order, through.next])?;
        seen += through.seen.max(1);
    }
    refresh_each(connection, subscriptions)?;
    let left = connection.prepare_cached(NEXT_TO_CANCEL)?.exists(())?;
    if left {
        effects.follow_ups.push(cancel_follow_up());
    }
    Ok(seen)
}

/// How far what waited for an order was looked at.
struct CancelProgress {
    seen: usize,
    /// The last subscription, if there may be more.
    next: Option<i64>,
}

fn cancel_of(
    connection: &Connection,
    (order, at): (i64, i64),
    through: i64,
    most: usize,
    subscriptions: &mut BTreeSet<i64>,
) -> rusqlite::Result<CancelProgress> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(NEXT_DELIVERIES)?;
    let deliveries = statement.query_map([order, through, limit], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
    })?;
    let deliveries = deliveries.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut cancel = connection.prepare_cached(CANCEL)?;
    for (delivery, subscription, _) in deliveries.iter().filter(|(.., waits)| *waits) {
        cancel.execute([*delivery, at])?;
        subscriptions.insert(*subscription);
    }
    let last = deliveries.last().map(|(_, subscription, _)| *subscription);
    Ok(CancelProgress { seen: deliveries.len(), next: last.filter(|_| deliveries.len() == most) })
}

/// What the last process did not live to do.
pub(crate) fn left(connection: &Connection) -> rusqlite::Result<Vec<FollowUp>> {
    let sql = "SELECT seq FROM spam_sweeps WHERE next_seq <= last_seq";
    let mut statement = connection.prepare(sql)?;
    let sweeps = statement.query_map((), |row| Ok(sweep_follow_up(row.get(0)?)))?;
    let mut left = sweeps.collect::<rusqlite::Result<Vec<_>>>()?;
    if connection.prepare(NEXT_TO_CANCEL)?.exists(())? {
        left.push(cancel_follow_up());
    }
    Ok(left)
}

const MARK_OF: &str =
    "SELECT marked_at, unmarked_at FROM spam JOIN orders ON orders.seq = order_seq WHERE orders.id = ?";

#[async_trait]
impl SpamMarks for Store {
    async fn mark_spam(&self, selection: SpamSelection, now: Timestamp) -> Result<usize, Error> {
        let filter = match selection {
            SpamSelection::One(id) => {
                let mark = move |transaction: &mut Transaction<'_>| {
                    mark_one(transaction.connection, transaction.effects, id, now)
                };
                return self.write(MAX_ROWS_PER_WRITE, mark).await;
            }
            SpamSelection::Many(filter) => filter,
        };
        // Looked up beside the writer, which orders wait for: in a large store it takes long.
        let (from, to) = (filter.from, filter.to);
        let places = self.read(move |connection| places(connection, from, to).map_err(unreadable)).await?;
        // The store goes through them by itself: whoever asked may go, and so may this process.
        let begin = move |transaction: &mut Transaction<'_>| {
            begin_sweep(transaction.connection, transaction.effects, &filter, places, now)
        };
        let number = self.write(1, begin).await?;
        loop {
            let go_on = move |transaction: &mut Transaction<'_>| {
                sweep(transaction.connection, transaction.effects, number, false)
            };
            let marked = self.write(MAX_ROWS_PER_WRITE, go_on).await?;
            if marked.next.is_none() {
                return Ok(marked.count);
            }
        }
    }

    async fn unmark_spam(&self, id: OrderId, now: Timestamp) -> Result<(), Error> {
        self.write(1, move |transaction| unmark(transaction.connection, id, now)).await
    }

    async fn spam_marks(&self, ids: Vec<OrderId>) -> Result<BTreeMap<OrderId, SpamMark>, Error> {
        self.read(move |connection| marks(connection, &ids).map_err(unreadable)).await
    }
}

/// A mark that cannot be read is none.
fn marks(connection: &Connection, ids: &[OrderId]) -> rusqlite::Result<BTreeMap<OrderId, SpamMark>> {
    let mut statement = connection.prepare_cached(MARK_OF)?;
    let mut marks = BTreeMap::new();
    for id in ids {
        let mark = statement.query_row([id.0.as_bytes()], |row| {
            let marked_at = columns::time(row, "marked_at");
            let unmarked_at = columns::time_or_none(row, "unmarked_at");
            Ok(marked_at.and_then(|marked_at| Ok(SpamMark { marked_at, unmarked_at: unmarked_at? })).ok())
        });
        marks.extend(mark.optional()?.flatten().map(|mark| (*id, mark)));
    }
    Ok(marks)
}

#[cfg(test)]
mod tests;
