//! Noting what operators are to be told of, in the commit in which it happens. Whoever is to be told, and when, is
//! found out later ([`notify_operators`](super::notify_operators)): a row counts however many there are, so that ten
//! thousand dead letters cost what one does.

use domain::Timestamp;
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::endpoint::Protocol;
use domain::notice::{Notice, quote};
use domain::order::{OrderId, Seq};
use domain::subscription::{EndReason, Subscription};
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::{self, micros};

const INSERT_INCIDENT: &str = "INSERT INTO incidents (kind, protocol, count, first_at, last_at, newest) \
     VALUES (?1, ?2, ?3, ?4, ?4, ?5) ON CONFLICT (kind, protocol) DO UPDATE SET newest = excluded.newest, \
     first_at = iif(count = 0, excluded.first_at, first_at), last_at = excluded.last_at, count = count + excluded.count";
/// The kind and protocol of a dead delivery. Not of a subscription that ended: nothing could be sent to it again.
const DEAD: &str = "SELECT protocol, kind FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription \
     WHERE deliveries.seq = ? AND subscriptions.state <> 'ended'";
/// The newest, and how many there are. One that cannot be read may match somebody yet.
const UNMATCHED: &str = "SELECT id, count(*) OVER () AS count FROM orders WHERE seq > ? AND seq <= ? \
     AND NOT EXISTS (SELECT 1 FROM deliveries WHERE order_seq = orders.seq) AND NOT EXISTS \
     (SELECT 1 FROM quarantine WHERE of_table = 'orders' AND row = orders.seq) ORDER BY seq DESC LIMIT 1";
/// How many rows that cannot be read one look takes in; the others come with the next.
const QUARANTINE_BATCH_SIZE: u32 = 500;
const UNNOTED_ROWS: &str = "SELECT of_table, row, reason, since FROM quarantine WHERE noted = 0 LIMIT ?";

/// Notes that a subscription was suspended because its endpoint had failed for too long.
pub(crate) fn suspended(
    connection: &Connection,
    failing: &Subscription,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let protocol = failing.endpoint.protocol();
    let notice = Notice::Suspended {
        count: 1,
        subscription_id: failing.id,
        protocol,
        endpoint: failing.endpoint.masked(),
        failing_since: failing.failure_streak.map_or(now, |failing| failing.since),
    };
    note(connection, &notice, Some(protocol), 1, now)
}

/// Notes that a subscription ended, where its receiver said so and no person did.
pub(crate) fn ended(
    connection: &Connection,
    subscription: &Subscription,
    reason: EndReason,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if matches!(reason, EndReason::Unsubscribed | EndReason::Removed) {
        return Ok(());
    }
    let protocol = subscription.endpoint.protocol();
    let endpoint = subscription.endpoint.masked();
    let notice = Notice::Ended { count: 1, subscription_id: subscription.id, protocol, endpoint, reason };
    note(connection, &notice, Some(protocol), 1, now)
}

/// Notes that a delivery died, if its new `state` says so: why, in the words of its receiver or provider.
pub(crate) fn dead(
    connection: &Connection,
    delivery: i64,
    state: DeliveryState,
    reply: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if state != DeliveryState::Dead {
        return Ok(());
    }
    let found = connection.prepare_cached(DEAD)?.query_row([delivery], |row| {
        // One that cannot be read is told of as such.
        let protocol = columns::named(row, "protocol", &Protocol::ALL, Protocol::name).ok();
        Ok((protocol, row.get::<_, String>("kind")?))
    });
    match found.optional()? {
        Some((Some(protocol), kind)) if kind != DeliveryKind::Notice.name() => {
            let reason = quote(Some(protocol), reply);
            let notice = Notice::Dead { count: 1, protocols: vec![protocol], since: now, reason };
            note(connection, &notice, Some(protocol), 1, now)
        }
        _ => Ok(()),
    }
}

/// Notes which of the orders behind the place `after` and up to `last`, whose deliveries are made, matched nobody.
pub(crate) fn unmatched(
    connection: &Connection,
    after: Seq,
    last: Seq,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let newest = connection.prepare_cached(UNMATCHED)?.query_row([after.0, last.0], |row| {
        Ok((OrderId(columns::uuid(row, "id")?), row.get::<_, u32>("count")?))
    });
    let Some((order_id, count)) = newest.optional()? else { return Ok(()) };
    note(connection, &Notice::Unmatched { count: 1, since: now, order_id }, None, count, now)
}

/// Notes that the disk was full from `since` until `now`.
pub(crate) fn disk_full(connection: &Connection, since: Timestamp, now: Timestamp) -> rusqlite::Result<()> {
    note(connection, &Notice::DiskFull { since, until: now }, None, 1, since)
}

/// Notes some of the rows that were quarantined since the last look.
pub(crate) fn note_quarantined(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(UNNOTED_ROWS)?;
    let found = statement.query_map([QUARANTINE_BATCH_SIZE], |row| {
        let row_at: (String, i64) = (row.get("of_table")?, row.get("row")?);
        Ok((row_at, row.get::<_, String>("reason")?, columns::time(row, "since")?))
    })?;
    for ((table, row), reason, since) in found.collect::<rusqlite::Result<Vec<_>>>()? {
        let sql = "UPDATE quarantine SET noted = 1 WHERE of_table = ? AND row = ?";
        connection.prepare_cached(sql)?.execute(params![table, row])?;
        let notice = Notice::Quarantined { count: 1, table, reason: quote(None, &reason) };
        note(connection, &notice, None, 1, since)?;
    }
    Ok(())
}

fn note(
    connection: &Connection,
    newest: &Notice,
    protocol: Option<Protocol>,
    count: u32,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let text = serde_json::to_string(newest)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let protocol = protocol.map_or("", Protocol::name);
    connection.prepare_cached(INSERT_INCIDENT)?.execute(params![
        newest.name(),
        protocol,
        count,
        micros(now),
        text
    ])?;
    Ok(())
}
