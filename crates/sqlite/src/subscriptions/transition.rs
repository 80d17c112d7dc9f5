//! What a subscription goes through, and what that does to its versions and its deliveries.

use application::Error;
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::failure_streak::FailureStreak;
use domain::subscription::{
    CONFIRMATION_LIFETIME, EndReason, Subscription, SubscriptionId, SubscriptionState, SuspensionReason,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::micros;
use crate::delivery_queue::next_due::refresh;
use crate::delivery_queue::recovery::{Recovery, recover};
use crate::failure::Failure;
use crate::notices::incidents;
use crate::rows::{self, SUBSCRIPTION_COLUMNS};
use crate::templates;
use crate::unreadable::{Table, read_row};
use crate::write::{Effects, FollowUp, MAX_ROWS_PER_WRITE};

/// Sets the failure streak of an endpoint, where it is another: most reports of a provider tell of an endpoint that never
/// failed.
const SET_FAILURE_STREAK: &str = "UPDATE subscriptions SET failing_since = ?2, failed_last = ?3, failed_for = ?4, failures = ?5 \
     WHERE seq = ?1 AND (failing_since IS NOT ?2 OR failures <> ?5)";

/// A subscription and its `seq` in the table.
pub(crate) struct Found {
    pub(crate) seq: i64,
    pub(crate) subscription: Subscription,
}

/// The subscription of that id.
pub(crate) fn find(connection: &Connection, id: SubscriptionId) -> Result<Found, Failure> {
    let sql = format!("SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE id = ?");
    let found = connection
        .prepare_cached(&sql)?
        .query_row([id.0.as_bytes()], |row| {
            let seq = row.get("subscription_seq")?;
            let found = read_row(Table::Subscriptions, seq, row, rows::subscription)?;
            Ok(found.map(|subscription| Found { seq, subscription }))
        })
        .optional()?;
    let found = found.ok_or_else(|| Error::not_found("subscription_not_found", "subscription"))?;
    found.map_err(|unreadable| Error::from(unreadable).into())
}

/// The subscription as it is after a change.
pub(crate) fn changed(connection: &Connection, id: SubscriptionId) -> Result<Subscription, Failure> {
    Ok(find(connection, id)?.subscription)
}

/// Confirms a pending subscription: it gets the orders from now on, and its open confirmation requests are withdrawn.
pub(crate) fn confirm(
    connection: &Connection,
    found: &Found,
    in_sandbox: bool,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE subscriptions SET state = 'confirmed', confirmed_at = ?, confirmed_in_sandbox = ? WHERE seq = ?";
    connection.prepare_cached(sql)?.execute(params![micros(now), in_sandbox, found.seq])?;
    open_version(connection, found.seq, SubscriptionState::Confirmed)?;
    withdraw_confirmation_requests(connection, found.seq, now)?;
    refresh(connection, found.seq)
}

/// Makes a subscription wait for a new confirmation, `delivery`; earlier ones no longer count.
pub(crate) fn ask_again(
    connection: &Connection,
    subscription: i64,
    delivery: DeliveryId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql =
        "UPDATE subscriptions SET generation = generation + 1, confirmation_expires_at = ? WHERE seq = ?";
    connection.prepare_cached(sql)?.execute(params![micros(now + CONFIRMATION_LIFETIME), subscription])?;
    await_confirmation(connection, subscription, now)?;
    insert_confirmation_request(connection, subscription, delivery, now)
}

/// Makes a subscription wait until somebody asks for a new confirmation; earlier ones expired before any was asked for,
/// so that no clock lets them count again.
pub(crate) fn lapse(connection: &Connection, subscription: i64, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE subscriptions SET confirmation_expires_at = created_at WHERE seq = ?";
    connection.prepare_cached(sql)?.execute([subscription])?;
    await_confirmation(connection, subscription, now)?;
    refresh(connection, subscription)
}

/// Makes a subscription pending, and withdraws the confirmation requests that are open.
///
/// Nothing is asked of it that might not be readable: what only the sandbox confirmed must not hold because of that.
fn await_confirmation(connection: &Connection, subscription: i64, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "SELECT state = 'pending' FROM subscriptions WHERE seq = ?";
    let was_pending: bool = connection.prepare_cached(sql)?.query_row([subscription], |row| row.get(0))?;
    let sql = "UPDATE subscriptions SET state = 'pending', confirmed_at = NULL, confirmed_in_sandbox = NULL, \
               suspended_at = NULL, suspension_reason = NULL WHERE seq = ?";
    connection.prepare_cached(sql)?.execute([subscription])?;
    if !was_pending {
        open_version(connection, subscription, SubscriptionState::Pending)?;
    }
    withdraw_confirmation_requests(connection, subscription, now)
}

/// Lets the deliveries of a confirmed subscription wait.
pub(crate) fn suspend(
    connection: &Connection,
    found: &Found,
    reason: SuspensionReason,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql =
        "UPDATE subscriptions SET state = 'suspended', suspended_at = ?, suspension_reason = ? WHERE seq = ?";
    connection.prepare_cached(sql)?.execute(params![micros(now), reason.name(), found.seq])?;
    open_version(connection, found.seq, SubscriptionState::Suspended)?;
    refresh(connection, found.seq)
}

/// Sends to a suspended subscription again, as to one that never failed: whatever waits for later is sent now.
pub(crate) fn resume(
    connection: &Connection,
    effects: &mut Effects,
    found: &Found,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE subscriptions SET state = 'confirmed', suspended_at = NULL, suspension_reason = NULL, \
               failing_since = NULL, failed_last = NULL, failed_for = NULL, failures = 0 WHERE seq = ?";
    connection.prepare_cached(sql)?.execute([found.seq])?;
    open_version(connection, found.seq, SubscriptionState::Confirmed)?;
    recover(connection, effects, Recovery::new(found.seq, None, now))
}

/// Keeps what is to be said of an endpoint's failures.
pub(crate) fn set_failure_streak(
    connection: &Connection,
    subscription: i64,
    failure_streak: Option<FailureStreak>,
) -> rusqlite::Result<()> {
    let since = failure_streak.map(|streak| micros(streak.since));
    let last = failure_streak.map(|streak| micros(streak.last));
    let duration =
        failure_streak.map(|streak| i64::try_from(streak.duration.as_micros()).unwrap_or(i64::MAX));
    let count = failure_streak.map_or(0, |streak| streak.count);
    connection.prepare_cached(SET_FAILURE_STREAK)?.execute(params![
        subscription,
        since,
        last,
        duration,
        count
    ])?;
    Ok(())
}

/// Ends a subscription: nothing more is sent to it from this commit on, and what waits for it is cancelled by this and
/// the ones that follow.
pub(crate) fn end(
    connection: &Connection,
    effects: &mut Effects,
    found: &Found,
    reason: EndReason,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE subscriptions SET state = 'ended', ended_at = ?, end_reason = ? WHERE seq = ?";
    connection.prepare_cached(sql)?.execute(params![micros(now), reason.name(), found.seq])?;
    incidents::ended(connection, &found.subscription, reason, now)?;
    open_version(connection, found.seq, SubscriptionState::Ended)?;
    templates::forget(connection, found.seq)?;
    cancel_what_fits(connection, effects, found.seq)?;
    refresh(connection, found.seq)
}

/// Begins a version with the next order to be accepted, with the filter policy that the subscription has; the one before
/// holds up to the last accepted order.
pub(crate) fn open_version(
    connection: &Connection,
    subscription: i64,
    state: SubscriptionState,
) -> rusqlite::Result<()> {
    // Within this transaction, so that the orders before this write in its batch count.
    let last = last_seq(connection)?;
    // A version that began after the last order held for none.
    let sql = "DELETE FROM subscription_versions WHERE subscription = ? AND to_seq IS NULL AND from_seq > ?";
    connection.prepare_cached(sql)?.execute([subscription, last])?;
    let sql = "UPDATE subscription_versions SET to_seq = ?2 WHERE subscription = ?1 AND to_seq IS NULL";
    connection.prepare_cached(sql)?.execute([subscription, last])?;
    let sql = "INSERT INTO subscription_versions (subscription, from_seq, state, filter_policy) \
               SELECT seq, ?2, ?3, filter_policy FROM subscriptions WHERE seq = ?1";
    connection.prepare_cached(sql)?.execute(params![subscription, last + 1, state.name()])?;
    Ok(())
}

/// The last place in the log that was given to an order. Whatever speaks of places counts: had someone taken the newest
/// orders away, their places would not be given again, since the relay has passed them.
pub(crate) fn last_seq(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT max(published_through, coalesce((SELECT max(seq) FROM orders), 0), \
               coalesce((SELECT max(from_seq) FROM subscription_versions \
               INDEXED BY subscription_versions_open WHERE to_seq IS NULL), 1) - 1) FROM relay";
    connection.prepare_cached(sql)?.query_row((), |row| row.get(0))
}

/// Inserts a confirmation request.
pub(crate) fn insert_confirmation_request(
    connection: &Connection,
    subscription: i64,
    id: DeliveryId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO deliveries (id, kind, subscription, state, created_at, at) \
               VALUES (?1, 'confirmation', ?2, 'pending', ?3, ?3)";
    connection.prepare_cached(sql)?.execute(params![id.0.as_bytes(), subscription, micros(now)])?;
    refresh(connection, subscription)
}

/// Cancels the confirmation requests that are superseded.
fn withdraw_confirmation_requests(
    connection: &Connection,
    subscription: i64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE deliveries INDEXED BY deliveries_confirmation_requests SET state = 'cancelled', \
               cancel_reason = 'superseded', at = ?1 \
               WHERE subscription = ?2 AND kind = 'confirmation' AND state = 'pending'";
    connection.prepare_cached(sql)?.execute([micros(now), subscription])?;
    Ok(())
}

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
pub(crate) fn left_to_cancel(connection: &Connection) -> rusqlite::Result<Vec<FollowUp>> {
    let mut statement = connection.prepare(LEFT)?;
    let left = statement.query_map((), |row| Ok(cancel_remaining(row.get(0)?)))?;
    left.collect()
}
