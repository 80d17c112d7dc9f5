//! Sending dead and held deliveries again.

use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState};
use domain::subscription::{SubscriptionId, SubscriptionState};
use rusqlite::{Connection, OptionalExtension, params};

use super::Answer;
use super::subscribe::subscription_ended;
use crate::columns::{self, micros};
use crate::failure::Failure;
use crate::rows;
use crate::schema::RARE_STATES;

const MAKE_PENDING: &str = "UPDATE deliveries SET state = 'pending', at = ?2, spent = 0 WHERE seq = ?1";
const NEXT_DEAD: &str = "SELECT deliveries.seq FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription \
     WHERE deliveries.state = 'dead' AND subscriptions.state <> 'ended' AND deliveries.seq > ?1 \
     AND (?2 IS NULL OR subscriptions.id = ?2)";

pub(super) fn redrive(connection: &Connection, id: DeliveryId, now: Timestamp) -> Result<Answer, Failure> {
    let sql = "SELECT deliveries.seq, deliveries.state AS delivery_state, subscriptions.state AS subscription_state \
               FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription WHERE deliveries.id = ?";
    let found = connection
        .prepare_cached(sql)?
        .query_row([id.0.as_bytes()], |row| {
            let state = columns::named(row, "delivery_state", &DeliveryState::ALL, DeliveryState::name)?;
            Ok((row.get::<_, i64>("seq")?, state, rows::state(row, "subscription_state")?))
        })
        .optional()?;
    let (seq, state, subscription) =
        found.ok_or_else(|| Error::not_found("delivery_not_found", "delivery"))?;
    if !state.can_be_redriven() {
        let message = format!("The delivery is {state}: only one that is dead or held can be sent again");
        return Err(Error::new(ErrorKind::Conflict, "not_redrivable", message).into());
    }
    if subscription == SubscriptionState::Ended {
        return Err(subscription_ended().into());
    }
    connection.prepare_cached(MAKE_PENDING)?.execute([seq, micros(now)])?;
    Ok(Answer::count(1))
}

pub(super) fn redrive_dead(
    connection: &Connection,
    subscription: Option<SubscriptionId>,
    after: i64,
    limit: usize,
    now: Timestamp,
) -> Result<Answer, Failure> {
    let subscription = subscription.map(|id| id.0.into_bytes());
    let dead: Vec<i64> = connection
        .prepare_cached(&format!("{NEXT_DEAD} AND {RARE_STATES} ORDER BY deliveries.seq LIMIT ?3"))?
        .query_map(params![after, subscription, i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut make_pending = connection.prepare_cached(MAKE_PENDING)?;
    for seq in &dead {
        make_pending.execute([*seq, micros(now)])?;
    }
    let next = dead.last().copied().filter(|_| dead.len() == limit);
    Ok(Answer::Count { count: dead.len(), next })
}
