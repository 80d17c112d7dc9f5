//! Cancelling what waits for a subscription that ended, a few at a time: it may be half a million.

use rusqlite::{Connection, params};

use crate::write::{Effects, FollowUp, MAX_ROWS_PER_WRITE};

const CANCEL: &str = "UPDATE deliveries SET state = 'cancelled', cancel_reason = 'subscription_ended', \
     escalates_at = NULL, at = (SELECT ended_at FROM subscriptions WHERE subscriptions.seq = ?1) \
     WHERE seq IN (SELECT waiting.seq FROM deliveries waiting INDEXED BY deliveries_due \
     WHERE waiting.subscription = ?1 AND waiting.state = 'pending' LIMIT ?2) \
     AND (SELECT state FROM subscriptions WHERE subscriptions.seq = ?1) = 'ended'";
const LEFT: &str = "SELECT seq FROM subscriptions WHERE state = 'ended' AND EXISTS (SELECT 1 FROM deliveries \
     INDEXED BY deliveries_due WHERE subscription = subscriptions.seq AND deliveries.state = 'pending')";

/// Cancels the next of what waits for an ended subscription, by its `seq`.
fn cancel_remaining(subscription: i64) -> FollowUp {
    FollowUp::new(move |transaction| {
        cancel(transaction.connection, transaction.effects, subscription, MAX_ROWS_PER_WRITE)?;
        Ok(())
    })
}

/// Cancels as much of it as this commit has room for, and leaves the rest to later ones: nothing of it is sent any more.
pub(crate) fn cancel_what_fits(
    connection: &Connection,
    effects: &mut Effects,
    subscription: i64,
) -> rusqlite::Result<()> {
    let room = effects.row_budget;
    let cancelled = cancel(connection, effects, subscription, room)?;
    effects.row_budget -= cancelled.min(room);
    Ok(())
}

fn cancel(
    connection: &Connection,
    effects: &mut Effects,
    subscription: i64,
    limit: usize,
) -> rusqlite::Result<usize> {
    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    let cancelled = connection.prepare_cached(CANCEL)?.execute(params![subscription, at_most])?;
    if cancelled == limit {
        effects.follow_ups.push(cancel_remaining(subscription));
    }
    Ok(cancelled)
}

/// What the last process did not live to cancel.
pub(crate) fn left(connection: &Connection) -> rusqlite::Result<Vec<FollowUp>> {
    let mut statement = connection.prepare(LEFT)?;
    let left = statement.query_map((), |row| Ok(cancel_remaining(row.get(0)?)))?;
    left.collect()
}
