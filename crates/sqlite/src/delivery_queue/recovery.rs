//! Recovery: once an endpoint works again, what waits for later becomes due at once, a few at a time, for it may be
//! half a million.

use domain::Timestamp;
use domain::failure_streak::FailureStreak;
use rusqlite::{Connection, params};

use crate::columns::micros;
use crate::delivery_queue::next_due::refresh;
use crate::write::{Effects, FollowUp, MAX_ROWS_PER_WRITE};

/// An endpoint that works again, and how far its deliveries were made due.
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

const PENDING_LATER: &str = "SELECT seq, at, NOT EXISTS (SELECT 1 FROM attempts WHERE delivery = deliveries.seq \
     AND number = 1 AND ended_at < ?2) FROM deliveries INDEXED BY deliveries_due WHERE subscription = ?1 \
     AND state = 'pending' AND quarantined = 0 AND at >= ?3 AND (at > ?3 OR seq > ?4) ORDER BY at, seq LIMIT ?5";
const MAKE_DUE: &str = "UPDATE deliveries SET at = ?2 WHERE seq = ?1";
/// Whether the attempt that succeeded began after the first failure, and so says that the endpoint works again.
const STARTED_SINCE: &str =
    "SELECT EXISTS (SELECT 1 FROM attempts WHERE delivery = ?1 AND number = ?2 AND started_at >= ?3)";
const IS_PAUSED: &str = "SELECT ifnull(retry_at > ?2, 0) FROM subscriptions WHERE seq = ?1";
/// Ends the pause of an endpoint.
pub(crate) const RESUME_ENDPOINT: &str =
    "UPDATE subscriptions SET retry_at = NULL WHERE seq = ? AND retry_at IS NOT NULL";

impl Recovery {
    /// The recovery, at `now`, of an endpoint that failed since then; `None`: that is not on record, and all that waits
    /// is made due.
    pub(crate) fn new(subscription: i64, since: Option<Timestamp>, now: Timestamp) -> Self {
        let since = since.map_or(i64::MIN, micros);
        Self { subscription, since, now, after: (micros(now), i64::MAX) }
    }
}

/// Recovers an endpoint that had been failing, if the attempt that succeeded began after its first failure.
pub(crate) fn on_success_after_failures(
    connection: &Connection,
    effects: &mut Effects,
    attempt: (i64, u32),
    (subscription, failing): (i64, FailureStreak),
    now: Timestamp,
) -> rusqlite::Result<()> {
    let began = params![attempt.0, attempt.1, micros(failing.since)];
    if connection.prepare_cached(STARTED_SINCE)?.query_row(began, |row| row.get(0))? {
        recover(connection, effects, Recovery::new(subscription, Some(failing.since), now))?;
    }
    Ok(())
}

/// Ends the pause of an endpoint, and makes as much due as this commit has room for.
pub(crate) fn recover(
    connection: &Connection,
    effects: &mut Effects,
    recovery: Recovery,
) -> rusqlite::Result<()> {
    let parameters = params![recovery.subscription, micros(recovery.now)];
    // The engine leaves it alone too, and is told nothing of what a provider reports.
    effects.pauses_lifted |=
        connection.prepare_cached(IS_PAUSED)?.query_row(parameters, |row| row.get::<_, bool>(0))?;
    connection.prepare_cached(RESUME_ENDPOINT)?.execute([recovery.subscription])?;
    let room = effects.row_budget;
    effects.row_budget -= advance_due_times(connection, effects, recovery, room)?.min(room);
    Ok(())
}

/// Makes the next deliveries due that wait for later; answers how many it looked at.
fn advance_due_times(
    connection: &Connection,
    effects: &mut Effects,
    recovery: Recovery,
    limit: usize,
) -> rusqlite::Result<usize> {
    let Recovery { subscription, since, now, after } = recovery;
    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(PENDING_LATER)?;
    let parameters = params![subscription, since, after.0, after.1, at_most];
    let seen = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let seen = seen.collect::<rusqlite::Result<Vec<(i64, i64, bool)>>>()?;
    let mut make_due = connection.prepare_cached(MAKE_DUE)?;
    for (seq, ..) in seen.iter().filter(|(.., is_to_advance)| *is_to_advance) {
        make_due.execute([*seq, micros(now)])?;
        effects.deliveries = true;
    }
    refresh(connection, subscription)?;
    if seen.len() == limit {
        let after = seen.last().map_or(after, |(seq, at, _)| (*at, *seq));
        let recovery = Recovery { after, ..recovery };
        effects.follow_ups.push(FollowUp::new(move |transaction| {
            advance_due_times(transaction.connection, transaction.effects, recovery, MAX_ROWS_PER_WRITE)?;
            Ok(())
        }));
    }
    Ok(seen.len())
}
