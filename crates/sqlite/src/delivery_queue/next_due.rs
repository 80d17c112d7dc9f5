//! When the next delivery of each subscription may be sent: `subscriptions.next_at`, by which the queue finds what is
//! due.
//!
//! Whatever changes deliveries, or what may be sent to a subscription, calls [`refresh`] before its commit.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, params};

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
