//! Deliveries on their way.

pub(crate) mod attempts;
pub(crate) mod due;
pub(crate) mod escalate;
pub(crate) mod next_due;
pub(crate) mod recovery;

use application::Error;
use application::ports::{
    DeliveryQueue, Due, DueQuery, Escalated, Finished, Intent, Interrupted, NO_CHANNEL,
};
use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::subscription::SubscriptionId;
use rusqlite::{Connection, Row, params};

use crate::columns::micros;
use crate::delivery_queue::attempts::{begin, finish};
use crate::delivery_queue::escalate::escalate;
use crate::delivery_queue::next_due::bound_due_times;
use crate::failure::{Failure, unreadable};
use crate::notices::notify_operators;
use crate::rows::all;
use crate::schema::RARE_STATES;
use crate::unreadable::quarantine::return_interrupted;
use crate::unreadable::{Read, Table, read_row};
use crate::write::{MAX_ROWS_PER_WRITE, Transaction};
use crate::{Store, columns, rows};

#[async_trait]
impl DeliveryQueue for Store {
    async fn due(&self, query: DueQuery) -> Result<Due, Error> {
        for _ in 0..MAX_DUE_LOOKUPS {
            let of = query.clone();
            let found =
                self.read_for_work(move |connection| due::due(connection, &of).map_err(unreadable)).await;
            let (due, unreadable) = found?;
            let nothing_else = due.deliveries.is_empty() && !unreadable.is_empty();
            self.quarantine_rows(unreadable).await?;
            if !nothing_else {
                return Ok(due);
            }
        }
        // The rest is found the next time, which is at once: quarantining wakes whoever asks.
        Ok(Due::default())
    }

    async fn begin(&self, intents: Vec<Intent>) -> Result<Vec<DeliveryId>, Error> {
        // It makes nothing due that the engine, who asks for it, does not know of; nor does finishing.
        self.write(intents.len(), move |transaction| begin(transaction.connection, &intents)).await
    }

    async fn finish(&self, finished: Vec<Finished>) -> Result<Vec<SubscriptionId>, Error> {
        let weight = finished.len();
        let finish = move |transaction: &mut Transaction<'_>| {
            finish(transaction.connection, transaction.effects, &finished)
        };
        self.write(weight, finish).await
    }

    async fn interrupted(&self) -> Result<Vec<Interrupted>, Error> {
        let read = |connection: &Connection| {
            let sql = format!("{INTERRUPTED} AND {RARE_STATES} ORDER BY deliveries.seq");
            connection.prepare_cached(&sql).and_then(|rows| all(rows, (), interrupted)).map_err(unreadable)
        };
        let (mut interrupted, mut deliveries) = (Vec::new(), Vec::new());
        for (seq, attempt) in self.read_for_work(read).await? {
            match attempt {
                Ok(attempt) => interrupted.push(attempt),
                Err(unreadable) => deliveries.push((seq, unreadable)),
            }
        }
        if !deliveries.is_empty() {
            let (weight, now) = (deliveries.len(), self.options.clock.now());
            let return_interrupted = move |transaction: &mut Transaction<'_>| {
                transaction.effects.deliveries = true;
                return_interrupted(transaction.connection, &deliveries, now)
            };
            self.write(weight, return_interrupted).await?;
        }
        Ok(interrupted)
    }

    async fn escalate(&self, now: Timestamp) -> Result<Escalated, Error> {
        let escalate = move |transaction: &mut Transaction<'_>| {
            let escalated = escalate(transaction.connection, now)?;
            transaction.effects.deliveries |= escalated.deliveries > 0;
            Ok(escalated)
        };
        self.write(MAX_ROWS_PER_WRITE, escalate).await
    }

    async fn notify_operators(&self, now: Timestamp) -> Result<usize, Error> {
        let tell = move |transaction: &mut Transaction<'_>| {
            let inserted = notify_operators(transaction, now)?;
            transaction.effects.deliveries |= inserted > 0;
            Ok(inserted)
        };
        self.write(MAX_ROWS_PER_WRITE, tell).await
    }

    async fn bound_due_times(&self, now: Timestamp) -> Result<usize, Error> {
        let bound = move |transaction: &mut Transaction<'_>, after| {
            let bounded = bound_due_times(transaction.connection, after, now)?;
            transaction.effects.deliveries |= bounded.count > 0;
            Ok(bounded)
        };
        self.write_parts(0, bound).await
    }

    async fn channel_paused(&self, protocol: Protocol, reason: &str, now: Timestamp) -> Result<(), Error> {
        let reason = reason.to_owned();
        self.write(1, move |transaction| pause_channel(transaction.connection, protocol, &reason, now)).await
    }

    async fn channel_resumed(&self, protocol: Protocol, now: Timestamp) -> Result<(), Error> {
        self.write_change(move |transaction| resume_channel(transaction.connection, protocol, now)).await
    }

    async fn channel_missing(&self, protocol: Protocol, now: Timestamp) -> Result<usize, Error> {
        self.write(1, move |transaction| record_missing_channel(transaction.connection, protocol, now)).await
    }
}

/// How often looking for what is due begins anew, where all that it met was quarantined.
const MAX_DUE_LOOKUPS: usize = 8;

/// No more than it takes to decide what follows: the program must start.
const INTERRUPTED: &str = "SELECT deliveries.seq, deliveries.id, number, deliveries.attempts_used, protocol, \
     subscription, CASE kind WHEN 'confirmation' THEN confirmation_expires_at END AS deadline \
     FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription \
     JOIN attempts ON delivery = deliveries.seq AND attempts.ended_at IS NULL WHERE deliveries.state = 'in_flight'";

/// An attempt, and the `seq` of its delivery.
fn interrupted(row: &Row<'_>) -> rusqlite::Result<(i64, Read<Interrupted>)> {
    let seq = row.get("seq")?;
    let read = match read_row(Table::Subscriptions, row.get("subscription")?, row, rows::protocol)? {
        Ok(protocol) => read_row(Table::Deliveries, seq, row, |row| {
            Ok(Interrupted {
                delivery: DeliveryId(columns::uuid(row, "id")?),
                number: row.get("number")?,
                protocol,
                // A time of no calendar never comes.
                deadline: columns::time_or_none(row, "deadline").unwrap_or_default(),
                attempts_used: columns::count(row, "attempts_used")?,
            })
        })?,
        Err(unreadable) => Err(unreadable),
    };
    Ok((seq, read))
}

/// Records that a channel is paused. A pause that is open already stays as it is: its first reason tells most.
pub(crate) fn pause_channel(
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

pub(crate) fn resume_channel(
    connection: &Connection,
    protocol: Protocol,
    now: Timestamp,
) -> Result<(), Failure> {
    let sql = "UPDATE channel_pauses SET to_at = ? WHERE protocol = ? AND to_at IS NULL";
    connection.prepare_cached(sql)?.execute(params![micros(now), protocol.name()])?;
    Ok(())
}

/// Records that no channel is configured for a protocol, as a pause, if any subscription waits for it; answers how many
/// do. A pause that says so already stays as it is.
pub(crate) fn record_missing_channel(
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
        pause_channel(connection, protocol, NO_CHANNEL, now)?;
    }
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
