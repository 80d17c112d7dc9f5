//! What a subscription goes through, and what that does to its versions and its deliveries.

use application::Error;
use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryId};
use domain::filter_policy::FilterPolicy;
use domain::subscription::{
    CONFIRMATION_LIFETIME, EndReason, Subscription, SubscriptionId, SubscriptionState, SuspensionReason,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::micros;
use crate::failure::Failure;
use crate::rows::{self, SUBSCRIPTION_COLUMNS};

/// A subscription and its `seq` in the table.
pub(super) struct Found {
    pub(super) seq: i64,
    pub(super) subscription: Subscription,
}

/// The subscription of that id.
pub(super) fn find(connection: &Connection, id: SubscriptionId) -> Result<Found, Failure> {
    let sql = format!("SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE id = ?");
    let found = connection
        .prepare_cached(&sql)?
        .query_row([id.0.as_bytes()], |row| {
            Ok(Found { seq: row.get("subscription_seq")?, subscription: rows::subscription(row)? })
        })
        .optional()?;
    found.ok_or_else(|| Error::not_found("subscription_not_found", "subscription").into())
}

/// The subscription as it is after a change.
pub(super) fn changed(connection: &Connection, id: SubscriptionId) -> Result<super::Answer, Failure> {
    Ok(super::Answer::Subscription(Box::new(find(connection, id)?.subscription)))
}

/// Confirms a pending subscription: it is owed the orders from now on, and its open questions are withdrawn.
pub(super) fn confirm(
    connection: &Connection,
    found: &Found,
    in_sandbox: bool,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE subscriptions SET state = 'confirmed', confirmed_at = ?, confirmed_in_sandbox = ? WHERE seq = ?";
    connection.prepare_cached(sql)?.execute(params![micros(now), in_sandbox, found.seq])?;
    open_version(
        connection,
        found.seq,
        SubscriptionState::Confirmed,
        found.subscription.attributes.filter_policy.as_ref(),
    )?;
    cancel_pending(connection, found.seq, CancelReason::QuestionOver, now)
}

/// Makes a subscription wait for a new confirmation, `delivery`; earlier ones no longer count.
pub(super) fn ask_again(
    connection: &Connection,
    found: &Found,
    delivery: DeliveryId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE subscriptions SET state = 'pending', generation = generation + 1, confirmation_expires_at = ?, \
               confirmed_at = NULL, confirmed_in_sandbox = NULL, suspended_at = NULL, suspension_reason = NULL WHERE seq = ?";
    connection.prepare_cached(sql)?.execute(params![micros(now + CONFIRMATION_LIFETIME), found.seq])?;
    if found.subscription.state != SubscriptionState::Pending {
        let policy = found.subscription.attributes.filter_policy.as_ref();
        open_version(connection, found.seq, SubscriptionState::Pending, policy)?;
    }
    cancel_pending(connection, found.seq, CancelReason::QuestionOver, now)?;
    owe_confirmation(connection, found.seq, delivery, now)
}

/// Lets the deliveries of a confirmed subscription wait.
pub(super) fn suspend(
    connection: &Connection,
    found: &Found,
    reason: SuspensionReason,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql =
        "UPDATE subscriptions SET state = 'suspended', suspended_at = ?, suspension_reason = ? WHERE seq = ?";
    connection.prepare_cached(sql)?.execute(params![micros(now), reason.name(), found.seq])?;
    let policy = found.subscription.attributes.filter_policy.as_ref();
    open_version(connection, found.seq, SubscriptionState::Suspended, policy)
}

/// Sends to a suspended subscription again, as to one that never failed.
pub(super) fn resume(connection: &Connection, found: &Found) -> rusqlite::Result<()> {
    let sql = "UPDATE subscriptions SET state = 'confirmed', suspended_at = NULL, suspension_reason = NULL, \
               failing_since = NULL, failed_last = NULL, failed_for = NULL, failures = 0 WHERE seq = ?";
    connection.prepare_cached(sql)?.execute([found.seq])?;
    let policy = found.subscription.attributes.filter_policy.as_ref();
    open_version(connection, found.seq, SubscriptionState::Confirmed, policy)
}

/// Ends a subscription and cancels what is pending for it.
pub(super) fn end(
    connection: &Connection,
    found: &Found,
    reason: EndReason,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE subscriptions SET state = 'ended', ended_at = ?, end_reason = ? WHERE seq = ?";
    connection.prepare_cached(sql)?.execute(params![micros(now), reason.name(), found.seq])?;
    open_version(
        connection,
        found.seq,
        SubscriptionState::Ended,
        found.subscription.attributes.filter_policy.as_ref(),
    )?;
    cancel_pending(connection, found.seq, CancelReason::SubscriptionEnded, now)
}

/// Begins a version with the next order to be accepted; the one before holds up to the last accepted order.
pub(super) fn open_version(
    connection: &Connection,
    subscription: i64,
    state: SubscriptionState,
    policy: Option<&FilterPolicy>,
) -> rusqlite::Result<()> {
    // Within this transaction, so that the orders before this command in its batch count.
    let last = last_place(connection)?;
    // A version that began after the last order held for none.
    let sql = "DELETE FROM subscription_versions WHERE subscription = ? AND to_seq IS NULL AND from_seq > ?";
    connection.prepare_cached(sql)?.execute([subscription, last])?;
    let sql = "UPDATE subscription_versions SET to_seq = ?2 WHERE subscription = ?1 AND to_seq IS NULL";
    connection.prepare_cached(sql)?.execute([subscription, last])?;
    let sql = "INSERT INTO subscription_versions (subscription, from_seq, state, filter_policy) VALUES (?, ?, ?, ?)";
    let policy = policy.map(FilterPolicy::stored);
    connection.prepare_cached(sql)?.execute(params![subscription, last + 1, state.name(), policy])?;
    Ok(())
}

/// The last place in the log that was given to an order. Whatever speaks of places counts: had someone taken the newest
/// orders away, their places would not be given again, since the relay has passed them.
pub(crate) fn last_place(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT max(published_through, coalesce((SELECT max(seq) FROM orders), 0), \
               coalesce((SELECT max(from_seq) FROM subscription_versions \
               INDEXED BY subscription_versions_open WHERE to_seq IS NULL), 1) - 1) FROM relay";
    connection.prepare_cached(sql)?.query_row((), |row| row.get(0))
}

/// Owes a confirmation.
pub(super) fn owe_confirmation(
    connection: &Connection,
    subscription: i64,
    id: DeliveryId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO deliveries (id, kind, subscription, state, created_at, at) \
               VALUES (?1, 'confirmation', ?2, 'pending', ?3, ?3)";
    connection.prepare_cached(sql)?.execute(params![id.0.as_bytes(), subscription, micros(now)])?;
    Ok(())
}

/// Cancels what is pending: the questions that are over, or everything.
fn cancel_pending(
    connection: &Connection,
    subscription: i64,
    reason: CancelReason,
    now: Timestamp,
) -> rusqlite::Result<()> {
    // What it ever was sent is many times more.
    let sql = "UPDATE deliveries INDEXED BY deliveries_due SET state = 'cancelled', cancel_reason = ?3, at = ?1, \
               escalates_at = NULL WHERE subscription = ?2 AND state = 'pending' AND (?3 <> 'question_over' OR kind = 'confirmation')";
    connection.prepare_cached(sql)?.execute(params![micros(now), subscription, reason.name()])?;
    Ok(())
}
