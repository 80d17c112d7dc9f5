//! When the next delivery of each subscription may be sent: `subscriptions.next_at`, by which the queue finds what is
//! due.
//!
//! Whatever changes deliveries, or what may be sent to a subscription, calls [`refresh`] before its commit.

use std::sync::LazyLock;
use std::time::Duration;

use domain::Timestamp;
use domain::attributes::Minutes;
use domain::retry::MAX_DELAY;
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::micros;
use crate::failure::Failure;
use crate::rows::all;
use crate::write::{MAX_ROWS_PER_WRITE, Progress};

/// What `next_at` is by right, for a row of `subscriptions`: one look into an index, however much waits. While a
/// subscription waits to be confirmed, it is sent only the confirmation request; and nothing while it is suspended or
/// has ended. One in a state that nobody knows is found by whoever looks for what is due, who quarantines it.
pub(crate) const NEXT_AT: &str = "max(CASE subscriptions.state \
     WHEN 'pending' THEN (SELECT min(at) FROM deliveries INDEXED BY deliveries_confirmation_requests \
     WHERE subscription = subscriptions.seq AND kind = 'confirmation' AND deliveries.state = 'pending' AND quarantined = 0) \
     WHEN 'suspended' THEN NULL WHEN 'ended' THEN NULL \
     ELSE (SELECT min(at) FROM deliveries INDEXED BY deliveries_due \
     WHERE subscription = subscriptions.seq AND deliveries.state = 'pending' AND quarantined = 0) END, ifnull(retry_at, -9223372036854775808))";

static STORED_AND_RIGHT_NEXT_AT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT next_at, {NEXT_AT} FROM subscriptions WHERE seq = ?"));
static REPAIR_NEXT_AT: LazyLock<String> =
    LazyLock::new(|| format!("UPDATE subscriptions SET next_at = {NEXT_AT} WHERE next_at IS NOT {NEXT_AT}"));

/// Refreshes one subscription's `next_at`. It is written only where it changes.
pub(crate) fn refresh(connection: &Connection, subscription: i64) -> rusqlite::Result<()> {
    let found = connection
        .prepare_cached(&STORED_AND_RIGHT_NEXT_AT)?
        .query_row([subscription], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)))
        .optional()?;
    if let Some((_, next_at)) = found.filter(|(is, should_be)| is != should_be) {
        let sql = "UPDATE subscriptions SET next_at = ?2 WHERE seq = ?1";
        connection.prepare_cached(sql)?.execute(params![subscription, next_at])?;
    }
    Ok(())
}

/// As [`refresh`], for several.
pub(crate) fn refresh_each(
    connection: &Connection,
    subscriptions: impl IntoIterator<Item = i64>,
) -> rusqlite::Result<()> {
    subscriptions.into_iter().try_for_each(|subscription| refresh(connection, subscription))
}

/// Refreshes every `next_at`, whatever was changed by hand since the program ran last. Answers how many were not.
pub(crate) fn refresh_all(connection: &Connection) -> rusqlite::Result<usize> {
    connection.execute(&REPAIR_NEXT_AT, ())
}

/// The next subscriptions that anything waits for: found by skipping through the index from one to the next.
static WAITING: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH RECURSIVE waiting (subscription) AS ( \
           SELECT min(subscription) FROM deliveries WHERE state = 'pending' AND subscription > ?1 \
           UNION ALL \
           SELECT (SELECT min(subscription) FROM deliveries WHERE state = 'pending' \
             AND subscription > waiting.subscription) \
           FROM waiting WHERE waiting.subscription IS NOT NULL LIMIT {MAX_ROWS_PER_WRITE}) \
         SELECT subscription FROM waiting WHERE subscription IS NOT NULL"
    )
});
/// Looks at the far end of one: what is due in time costs nothing, however much it is.
const BOUND_DUE: &str = "UPDATE deliveries SET at = ?2 WHERE seq IN (SELECT seq FROM deliveries INDEXED BY deliveries_due \
     WHERE subscription = ?1 AND state = 'pending' AND quarantined = 0 AND at > ?2 LIMIT ?3)";
static BOUND_ESCALATIONS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE deliveries SET escalates_at = ?1 WHERE seq IN (SELECT seq FROM deliveries \
         WHERE escalates_at > ?1 AND escalates_at IS NOT NULL LIMIT {MAX_ROWS_PER_WRITE})"
    )
});

static BOUND_PAUSES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE subscriptions SET retry_at = ?1 WHERE seq IN (SELECT seq FROM subscriptions \
         WHERE retry_at > ?1 AND state <> 'ended' LIMIT {MAX_ROWS_PER_WRITE}) RETURNING seq"
    )
});

/// Bounds the next of them, and what waits for the next subscriptions after one. Answers how many there were, and the
/// subscription to go on after, unless it was all.
pub(crate) fn bound_due_times(
    connection: &Connection,
    after: i64,
    now: Timestamp,
) -> Result<Progress, Failure> {
    let limit = |longest: Duration| micros(now.checked_add(longest).unwrap_or(Timestamp::MAX));
    let longest = limit(MAX_DELAY);
    let pauses: Vec<i64> = all(connection.prepare_cached(&BOUND_PAUSES)?, [longest], |row| row.get(0))?;
    let escalations = connection.prepare_cached(&BOUND_ESCALATIONS)?.execute([limit(Minutes::LONGEST)])?;
    refresh_each(connection, pauses.iter().copied())?;
    let (due, next) = bound_due(connection, after, longest)?;
    let others = pauses.len().max(escalations);
    // What is left of these is taken on the way, and after it.
    let next = next.or_else(|| Some(i64::MAX).filter(|_| others == MAX_ROWS_PER_WRITE));
    Ok(Progress { count: due + pauses.len() + escalations, next })
}

/// How many deliveries were bounded, and the last subscription of which none is left.
fn bound_due(connection: &Connection, after: i64, longest: i64) -> rusqlite::Result<(usize, Option<i64>)> {
    let waiting: Vec<i64> = all(connection.prepare_cached(&WAITING)?, [after], |row| row.get(0))?;
    let (mut bounded, mut last) = (0, after);
    for subscription in &waiting {
        let room = i64::try_from(MAX_ROWS_PER_WRITE - bounded).unwrap_or(i64::MAX);
        let count = connection.prepare_cached(BOUND_DUE)?.execute(params![subscription, longest, room])?;
        if count > 0 {
            refresh(connection, *subscription)?;
        }
        bounded += count;
        if bounded == MAX_ROWS_PER_WRITE {
            return Ok((bounded, Some(last)));
        }
        last = *subscription;
    }
    Ok((bounded, Some(last).filter(|_| waiting.len() == MAX_ROWS_PER_WRITE)))
}
