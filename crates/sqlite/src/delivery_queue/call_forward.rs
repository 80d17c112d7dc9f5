//! Calling forward what waits for later, once an endpoint works again: a few at a time, for it may be half a million.

use domain::Timestamp;
use domain::failure_streak::FailureStreak;
use rusqlite::{Connection, params};

use crate::columns::micros;
use crate::delivery_queue::next_due::refresh;
use crate::write::{AT_ONCE, Effects, FollowUp};

/// An endpoint that works again, and how far what waits for it was called forward.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recovery {
    /// The subscription, by its `seq`.
    subscription: i64,
    /// Since when it failed, in microseconds. What failed before already, while others got through, keeps its own time:
    /// its failures are its own, and it would use all its attempts in no time.
    since: i64,
    now: Timestamp,
    /// The time and the `seq` of the last one that was looked at.
    after: (i64, i64),
}

const WAITING: &str = "SELECT seq, at, NOT EXISTS (SELECT 1 FROM attempts WHERE delivery = deliveries.seq \
     AND number = 1 AND ended_at < ?2) FROM deliveries INDEXED BY deliveries_due WHERE subscription = ?1 \
     AND state = 'pending' AND quarantined = 0 AND at >= ?3 AND (at > ?3 OR seq > ?4) ORDER BY at, seq LIMIT ?5";
const CALL: &str = "UPDATE deliveries SET at = ?2 WHERE seq = ?1";
/// Whether the attempt that succeeded says that the endpoint works again: not if it had begun before the first failure.
const BEGAN_SINCE: &str =
    "SELECT EXISTS (SELECT 1 FROM attempts WHERE delivery = ?1 AND number = ?2 AND started_at >= ?3)";
const LEFT_ALONE: &str = "SELECT ifnull(retry_at > ?2, 0) FROM subscriptions WHERE seq = ?1";
/// Ends the pause of an endpoint.
pub(crate) const NOT_ALONE: &str =
    "UPDATE subscriptions SET retry_at = NULL WHERE seq = ? AND retry_at IS NOT NULL";

impl Recovery {
    /// Of an endpoint that failed since then, or, where that is nowhere on record, for as long as you like.
    pub(crate) fn new(subscription: i64, since: Option<Timestamp>, now: Timestamp) -> Self {
        let since = since.map_or(i64::MIN, micros);
        Self { subscription, since, now, after: (micros(now), i64::MAX) }
    }
}

/// What follows when an attempt got through to an endpoint that had been failing.
pub(crate) fn got_through(
    connection: &Connection,
    effects: &mut Effects,
    attempt: (i64, u32),
    (subscription, failing): (i64, FailureStreak),
    now: Timestamp,
) -> rusqlite::Result<()> {
    let began = params![attempt.0, attempt.1, micros(failing.since)];
    if connection.prepare_cached(BEGAN_SINCE)?.query_row(began, |row| row.get(0))? {
        works_again(connection, effects, Recovery::new(subscription, Some(failing.since), now))?;
    }
    Ok(())
}

/// Ends the pause of an endpoint, and calls as much forward as this commit has room for.
pub(crate) fn works_again(
    connection: &Connection,
    effects: &mut Effects,
    recovery: Recovery,
) -> rusqlite::Result<()> {
    let parameters = params![recovery.subscription, micros(recovery.now)];
    // The engine leaves it alone too, and is told nothing of what a provider reports.
    effects.pauses_lifted |=
        connection.prepare_cached(LEFT_ALONE)?.query_row(parameters, |row| row.get::<_, bool>(0))?;
    connection.prepare_cached(NOT_ALONE)?.execute([recovery.subscription])?;
    let room = effects.room;
    effects.room -= call(connection, effects, recovery, room)?.min(room);
    Ok(())
}

/// Answers how many it looked at.
fn call(
    connection: &Connection,
    effects: &mut Effects,
    recovery: Recovery,
    limit: usize,
) -> rusqlite::Result<usize> {
    let Recovery { subscription, since, now, after } = recovery;
    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(WAITING)?;
    let parameters = params![subscription, since, after.0, after.1, at_most];
    let seen = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let seen = seen.collect::<rusqlite::Result<Vec<(i64, i64, bool)>>>()?;
    let mut call_one = connection.prepare_cached(CALL)?;
    for (seq, ..) in seen.iter().filter(|(.., is_called)| *is_called) {
        call_one.execute([*seq, micros(now)])?;
        effects.deliveries = true;
    }
    refresh(connection, subscription)?;
    if seen.len() == limit {
        let after = seen.last().map_or(after, |(seq, at, _)| (*at, *seq));
        let recovery = Recovery { after, ..recovery };
        effects.rest.push(FollowUp::new(move |transaction| {
            call(transaction.connection, transaction.effects, recovery, AT_ONCE)?;
            Ok(())
        }));
    }
    Ok(seen.len())
}
