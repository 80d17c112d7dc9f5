//! Giving up deliveries that are pending or held.

use std::collections::BTreeSet;

use application::ports::{DeliveryFilter, InterventionKind};
use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState};
use rusqlite::{Connection, OptionalExtension};

use crate::columns::{self, micros};
use crate::deliveries::interventions::{self, PendingCursor};
use crate::delivery_queue::next_due::refresh_each;
use crate::failure::Failure;
use crate::schema::RARE_STATES;
use crate::write::{MAX_ROWS_PER_WRITE, Progress};

/// Cancels a delivery. One that only stands there until it is known whether it matched is taken away or released then
/// all the same.
const CANCEL: &str = "UPDATE deliveries SET state = 'cancelled', cancel_reason = 'dropped', at = ?2, \
     escalates_at = NULL WHERE seq = ?1 RETURNING subscription";

pub(crate) fn drop_one(connection: &Connection, id: DeliveryId, now: Timestamp) -> Result<usize, Failure> {
    let found = connection
        .prepare_cached("SELECT seq, state FROM deliveries WHERE id = ?")?
        .query_row([id.0.as_bytes()], |row| {
            let state = columns::named(row, "state", &DeliveryState::ALL, DeliveryState::name)?;
            Ok((row.get::<_, i64>("seq")?, state))
        })
        .optional()?;
    let (seq, state) = found.ok_or_else(|| Error::not_found("delivery_not_found", "delivery"))?;
    if !matches!(state, DeliveryState::Pending | DeliveryState::Held) {
        let message = format!("The delivery is {state}: only one that is pending or held can be dropped");
        return Err(Error::new(ErrorKind::Conflict, "not_droppable", message).into());
    }
    cancel(connection, &[seq], now)?;
    Ok(1)
}

/// Drops the next of those that are pending.
pub(crate) fn drop_pending(
    connection: &Connection,
    filter: &DeliveryFilter,
    after: PendingCursor,
    now: Timestamp,
) -> Result<Progress<PendingCursor>, Failure> {
    let (dropped, next) = interventions::pending_after(connection, after, filter, "kind <> 'confirmation'")?;
    let dropped: Vec<_> = dropped.iter().map(|place| place.delivery).collect();
    cancel(connection, &dropped, now)?;
    Ok(Progress { count: dropped.len(), next })
}

/// Drops the next of those that are held.
pub(crate) fn drop_held(
    connection: &Connection,
    filter: &DeliveryFilter,
    after: i64,
    now: Timestamp,
) -> Result<Progress, Failure> {
    let sql = format!(
        "SELECT deliveries.seq, {} AS selected FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription \
         WHERE deliveries.seq > ?5 AND {RARE_STATES} AND deliveries.state = 'held' ORDER BY deliveries.seq LIMIT {MAX_ROWS_PER_WRITE}",
        interventions::FILTER
    );
    let (subscription, protocol, from, before) = interventions::parameters(filter);
    let mut statement = connection.prepare_cached(&sql)?;
    let seen = statement.query_map((subscription, protocol, from, before, after), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
    })?;
    let seen = seen.collect::<rusqlite::Result<Vec<_>>>()?;
    let dropped: Vec<_> = seen.iter().filter(|(_, selected)| *selected).map(|(seq, _)| *seq).collect();
    cancel(connection, &dropped, now)?;
    let next = seen.last().map(|(seq, _)| *seq).filter(|_| seen.len() == MAX_ROWS_PER_WRITE);
    Ok(Progress { count: dropped.len(), next })
}

fn cancel(connection: &Connection, deliveries: &[i64], now: Timestamp) -> rusqlite::Result<()> {
    interventions::record(connection, deliveries, InterventionKind::Dropped, now)?;
    let mut cancel = connection.prepare_cached(CANCEL)?;
    let mut subscriptions = BTreeSet::new();
    for seq in deliveries {
        subscriptions.insert(cancel.query_row([*seq, micros(now)], |row| row.get(0))?);
    }
    refresh_each(connection, subscriptions)
}
