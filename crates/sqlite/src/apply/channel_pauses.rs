//! Recording when channels sent nothing.

use domain::Timestamp;
use domain::endpoint::Protocol;
use rusqlite::{Connection, params};

use super::Answer;
use crate::columns::micros;
use crate::failure::Failure;

/// A pause that is open already stays as it is: its first reason is the one that tells most.
pub(super) fn pause(
    connection: &Connection,
    protocol: Protocol,
    reason: &str,
    now: Timestamp,
) -> Result<Answer, Failure> {
    let sql = "INSERT INTO channel_pauses (protocol, from_at, reason) VALUES (?, ?, ?) \
               ON CONFLICT (protocol) WHERE to_at IS NULL DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![protocol.name(), micros(now), reason])?;
    Ok(Answer::Done)
}

pub(super) fn resume(connection: &Connection, protocol: Protocol, now: Timestamp) -> Result<Answer, Failure> {
    let sql = "UPDATE channel_pauses SET to_at = ? WHERE protocol = ? AND to_at IS NULL";
    connection.prepare_cached(sql)?.execute(params![micros(now), protocol.name()])?;
    Ok(Answer::Done)
}
