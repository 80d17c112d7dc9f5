//! Recording when channels sent nothing.

use application::ports::NO_CHANNEL;
use domain::Timestamp;
use domain::endpoint::Protocol;
use rusqlite::{Connection, params};

use crate::columns::micros;
use crate::failure::Failure;

/// Records that a channel is paused. A pause that is open already stays as it is: its first reason tells most.
pub(crate) fn pause(
    connection: &Connection,
    protocol: Protocol,
    reason: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let sql = "INSERT INTO channel_pauses (protocol, from_at, reason) VALUES (?, ?, ?) \
               ON CONFLICT (protocol) WHERE to_at IS NULL DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![protocol.name(), micros(now), reason])?;
    Ok(())
}

pub(crate) fn resume(connection: &Connection, protocol: Protocol, now: Timestamp) -> Result<(), Failure> {
    let sql = "UPDATE channel_pauses SET to_at = ? WHERE protocol = ? AND to_at IS NULL";
    connection.prepare_cached(sql)?.execute(params![micros(now), protocol.name()])?;
    Ok(())
}

/// Records that no channel is configured for a protocol, as a pause, if any subscription waits for it; answers how many
/// do. A pause that says so already stays as it is.
pub(crate) fn record_missing(
    connection: &Connection,
    protocol: Protocol,
    now: Timestamp,
) -> Result<usize, Failure> {
    let sql = "SELECT count(*) FROM subscriptions WHERE protocol = ? AND state <> 'ended'";
    let count = connection.prepare_cached(sql)?.query_row([protocol.name()], |row| row.get::<_, u32>(0))?;
    let sql =
        "UPDATE channel_pauses SET to_at = ? WHERE protocol = ? AND to_at IS NULL AND (reason <> ? OR ?)";
    connection.prepare_cached(sql)?.execute(params![micros(now), protocol.name(), NO_CHANNEL, count == 0])?;
    if count > 0 {
        pause(connection, protocol, NO_CHANNEL, now)?;
    }
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
