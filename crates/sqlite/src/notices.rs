//! Owing operators notices of what the program did by itself: gathered, over another way than the one that failed where
//! there is one, and in one commit with the mark that they were told.
//!
//! What is over is settled though nobody receives notices, so that nothing piles up and who comes later is not told old
//! news; what lasts, the pause of a channel, is told once somebody does.

pub(crate) mod incidents;

use std::time::Duration;

use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::notice::{Notice, NoticeGroup, quote};
use domain::subscription::Subscription;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::columns::{self, micros};
use crate::delivery_queue::next_due::refresh;
use crate::failure::Failure;
use crate::rows;
use crate::unreadable::Table;
use crate::unreadable::quarantine::quarantine_row;
use crate::write::Transaction;

/// How long incidents of a kind are gathered, from the first on, before a notice of them is made.
const GROUP_WAIT: Duration = Duration::from_mins(1);
/// The shortest time between two notices of a kind; what happens meanwhile goes into the next.
const REPEAT_INTERVAL: Duration = Duration::from_mins(15);
/// How long a channel must have been paused before a notice of it is made.
const MIN_PAUSE: Duration = Duration::from_mins(5);

/// Whether there can be anything to tell: all that a look costs, most of the time.
const ANYTHING_TO_NOTICE: &str = "SELECT EXISTS (SELECT 1 FROM incidents WHERE count > 0) \
     OR EXISTS (SELECT 1 FROM quarantine WHERE noted = 0) OR EXISTS (SELECT 1 FROM notified_pauses) \
     OR EXISTS (SELECT 1 FROM channel_pauses WHERE to_at IS NULL)";
/// A time that lies too far ahead is as good as over: the clock was set back since.
const DUE_KINDS: &str = "SELECT kind FROM incidents GROUP BY kind HAVING sum(count) > 0 \
     AND abs(?1 - min(iif(count > 0, first_at, NULL))) >= ?2 AND coalesce(abs(?1 - max(notified_at)) >= ?3, 1)";
const INCIDENTS_OF_KIND: &str = "SELECT protocol, count, first_at, newest FROM incidents \
     WHERE kind = ? AND count > 0 ORDER BY last_at, protocol";
const RESET_KIND: &str =
    "UPDATE incidents SET count = 0, notified_at = coalesce(?2, notified_at) WHERE kind = ?1";
const LAST_PAUSE: &str =
    "SELECT from_at, to_at, reason FROM channel_pauses WHERE protocol = ? ORDER BY seq DESC LIMIT 1";
const OPERATORS: &str = "SELECT seq, protocol FROM subscriptions INDEXED BY subscriptions_of_operators \
     WHERE state = 'confirmed' AND receives <> 'orders'";
const INSERT_NOTICE: &str = "INSERT INTO deliveries (id, kind, subscription, state, created_at, at, notice, quarantined) \
     VALUES (?1, 'notice', ?2, 'pending', ?3, ?3, ?4, ?5)";

/// Whoever receives notices: the subscription's `seq` and, if it can be read, its protocol.
type Operator = (i64, Option<Protocol>);

/// Notes that `failing` was suspended.
pub(crate) fn suspended(
    connection: &Connection,
    failing: &Subscription,
    now: Timestamp,
) -> Result<(), Failure> {
    Ok(incidents::suspended(connection, failing, now)?)
}

/// Turns what is due into notices. Answers how many were made.
pub(crate) fn notify_operators(transaction: &mut Transaction<'_>, now: Timestamp) -> Result<usize, Failure> {
    let full_since = transaction.full_disk.since(now);
    if let Some(since) = full_since {
        incidents::disk_full(transaction.connection, since, now)?;
    }
    let inserted = make_notices(transaction.connection, now)?;
    transaction.full_disk.noted = full_since.is_some();
    Ok(inserted)
}

fn make_notices(connection: &Connection, now: Timestamp) -> Result<usize, Failure> {
    if !connection.prepare_cached(ANYTHING_TO_NOTICE)?.query_row((), |row| row.get(0))? {
        return Ok(0);
    }
    let operators = operators(connection, now)?;
    incidents::note_quarantined(connection)?;
    let mut inserted = make_group_notices(connection, &operators, now)?;
    for protocol in Protocol::ALL {
        inserted += make_pause_notices(connection, protocol, &operators, now)?;
    }
    Ok(inserted)
}

fn make_group_notices(
    connection: &Connection,
    operators: &[Operator],
    now: Timestamp,
) -> Result<usize, Failure> {
    let mut statement = connection.prepare_cached(DUE_KINDS)?;
    let due = statement
        .query_map(params![micros(now), long(GROUP_WAIT), long(REPEAT_INTERVAL)], |row| row.get(0))?;
    let due = due.collect::<rusqlite::Result<Vec<String>>>()?;
    let mut inserted = 0;
    for kind in due {
        if let Some((notice, protocols)) = grouped(connection, &kind, now)? {
            inserted += insert_notices(connection, &notice, &protocols, operators, now)?;
        }
        let notified_at = (!operators.is_empty()).then(|| micros(now));
        connection.prepare_cached(RESET_KIND)?.execute(params![kind, notified_at])?;
    }
    Ok(inserted)
}

/// All that nobody was told of a kind, as one notice, and over which protocols it happened. `None`: what is noted cannot
/// be read, which must not keep the others from being told.
fn grouped(
    connection: &Connection,
    kind: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<(Notice, Vec<Protocol>)>> {
    let mut statement = connection.prepare_cached(INCIDENTS_OF_KIND)?;
    let mut rows = statement.query([kind])?;
    let (mut newest, mut all) = (None, NoticeGroup { count: 0, since: now, protocols: Vec::new() });
    while let Some(row) = rows.next()? {
        let count = u32::try_from(row.get::<_, i64>("count")?).unwrap_or(u32::MAX);
        all.count = all.count.saturating_add(count);
        all.since = all.since.min(columns::time(row, "first_at")?);
        all.protocols.extend(Protocol::parse(row.get_ref("protocol")?.as_str()?).ok());
        newest = serde_json::from_str::<Notice>(row.get_ref("newest")?.as_str()?).ok();
    }
    all.protocols.sort();
    if newest.is_none() {
        tracing::error!(kind, count = all.count, "incident row unreadable; notice dropped");
    }
    Ok(newest.map(|notice| (notice.grouped(all.clone()), all.protocols)))
}

/// Tells of a channel's pause once it is long, and, where that was told, that the channel works again: not before it has
/// for a while, since a start ends every pause to find out anew.
fn make_pause_notices(
    connection: &Connection,
    protocol: Protocol,
    operators: &[Operator],
    now: Timestamp,
) -> Result<usize, Failure> {
    let last = connection.prepare_cached(LAST_PAUSE)?.query_row([protocol.name()], |row| {
        let reason: String = row.get("reason")?;
        Ok((columns::time(row, "from_at")?, columns::time_or_none(row, "to_at")?, reason))
    });
    let Some((from, to, reason)) = last.optional()? else { return Ok(0) };
    let told = notified_pause(connection, protocol)?;
    let apart = |one: Timestamp, least| (micros(now) - micros(one)).abs() >= long(least);
    match (to, told) {
        (None, None) if apart(from, MIN_PAUSE) && !operators.is_empty() => {
            let sql = "INSERT INTO notified_pauses (protocol, since) VALUES (?, ?)";
            connection.prepare_cached(sql)?.execute(params![protocol.name(), micros(from)])?;
            let notice = Notice::ChannelPaused {
                protocol,
                since: from.min(now),
                reason: quote(Some(protocol), &reason),
            };
            insert_notices(connection, &notice, &[protocol], operators, now)
        }
        (Some(to), Some(paused_since)) if apart(to, GROUP_WAIT) => {
            let sql = "DELETE FROM notified_pauses WHERE protocol = ?";
            connection.prepare_cached(sql)?.execute([protocol.name()])?;
            let notice = Notice::ChannelWorks { protocol, paused_since, since: to };
            insert_notices(connection, &notice, &[protocol], operators, now)
        }
        _ => Ok(0),
    }
}

fn notified_pause(connection: &Connection, protocol: Protocol) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT since FROM notified_pauses WHERE protocol = ?";
    let since = |row: &Row<'_>| columns::time(row, "since");
    connection.prepare_cached(sql)?.query_row([protocol.name()], since).optional()
}

/// Whoever receives notices. Who cannot be read is quarantined.
fn operators(connection: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Operator>> {
    let mut statement = connection.prepare_cached(OPERATORS)?;
    let read = |row: &Row<'_>| Ok((row.get("seq")?, rows::protocol(row).ok()));
    let mut found = statement.query_map((), read)?.collect::<rusqlite::Result<Vec<(i64, _)>>>()?;
    found.sort_unstable();
    let mut operators = Vec::new();
    for (seq, protocol) in found {
        match rows::examine(connection, Table::Subscriptions, seq)? {
            Ok(()) => operators.push((seq, protocol)),
            Err(unreadable) => {
                quarantine_row(connection, &unreadable, now)?;
                operators.push((seq, None));
            }
        }
    }
    Ok(operators)
}

/// Makes a notice to every operator: of those whom it can reach over none of `troubled`, where there are such. Those
/// who cannot be read get it too, and keep no other from being told.
fn insert_notices(
    connection: &Connection,
    notice: &Notice,
    troubled: &[Protocol],
    operators: &[Operator],
    now: Timestamp,
) -> Result<usize, Failure> {
    let readable = || operators.iter().filter(|(_, protocol)| protocol.is_some());
    let elsewhere =
        |(_, protocol): &&Operator| protocol.is_some_and(|protocol| !troubled.contains(&protocol));
    let mut reached: Vec<_> = readable().filter(elsewhere).collect();
    if reached.is_empty() {
        reached = readable().collect();
    }
    reached.extend(operators.iter().filter(|(_, protocol)| protocol.is_none()));
    let text = serde_json::to_string(notice).map_err(application::Error::internal)?;
    for (seq, protocol) in &reached {
        let about = troubled.first().map_or("", |protocol| protocol.name());
        let to = Uuid::from_u64_pair(0, seq.unsigned_abs());
        let id = DeliveryId::derived(now, &[named(notice.name()), named(about), to]);
        connection.prepare_cached(INSERT_NOTICE)?.execute(params![
            id.0.as_bytes(),
            seq,
            micros(now),
            text,
            protocol.is_none()
        ])?;
        refresh(connection, *seq)?;
    }
    Ok(reached.len())
}

/// A name of at most 16 bytes as what an id can be derived from.
fn named(name: &str) -> Uuid {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(name.bytes()).for_each(|(byte, of_name)| *byte = of_name);
    Uuid::from_bytes(bytes)
}

/// A duration as columns have times.
fn long(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
