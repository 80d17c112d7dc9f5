//! Sending dead and held deliveries again.

use std::collections::BTreeSet;

use application::ports::{DeliveryFilter, InterventionKind, Redrivable};
use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState};
use domain::subscription::SubscriptionState;
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::{self, micros};
use crate::deliveries::interventions;
use crate::delivery_queue::attempts::SUPERSEDED;
use crate::delivery_queue::next_due::refresh_each;
use crate::failure::Failure;
use crate::orders::spam::IS_SPAM;
use crate::rows;
use crate::schema::RARE_STATES;
use crate::subscriptions::subscribe::subscription_ended;
use crate::write::{MAX_ROWS_PER_WRITE, Progress};

const MAKE_PENDING: &str = "UPDATE deliveries SET state = 'pending', at = ?2, attempts_used = 0 WHERE seq = ?1 RETURNING subscription";
const EXPIRED: &str = "(kind = 'confirmation' AND confirmation_expires_at <= ";

pub(crate) fn redrive(connection: &Connection, id: DeliveryId, now: Timestamp) -> Result<usize, Failure> {
    let sql = format!(
        "SELECT deliveries.seq, deliveries.state AS delivery_state, subscriptions.state AS subscription_state, \
         {SUPERSEDED} OR {EXPIRED} ?2) AS pointless, {IS_SPAM} AS is_spam \
         FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription WHERE deliveries.id = ?1"
    );
    let found = connection
        .prepare_cached(&sql)?
        .query_row(params![id.0.as_bytes(), micros(now)], |row| {
            let state = columns::named(row, "delivery_state", &DeliveryState::ALL, DeliveryState::name)?;
            let subscription = rows::state(row, "subscription_state")?;
            let (pointless, is_spam) = (row.get::<_, bool>("pointless")?, row.get::<_, bool>("is_spam")?);
            Ok((row.get::<_, i64>("seq")?, state, subscription, pointless, is_spam))
        })
        .optional()?;
    let (seq, state, subscription, pointless, is_spam) =
        found.ok_or_else(|| Error::not_found("delivery_not_found", "delivery"))?;
    if !state.can_be_redriven() {
        let message = format!("The delivery is {state}: only one that is dead or held can be sent again");
        return Err(Error::new(ErrorKind::Conflict, "not_redrivable", message).into());
    }
    if subscription == SubscriptionState::Ended {
        return Err(subscription_ended().into());
    }
    if pointless {
        let message =
            "The delivery asked for a confirmation that came, was asked for anew, or comes too late";
        return Err(Error::new(ErrorKind::Conflict, "not_redrivable", message).into());
    }
    if is_spam {
        let message = "The delivery's order is marked as spam: take that back first";
        return Err(Error::new(ErrorKind::Conflict, "order_is_spam", message).into());
    }
    make_pending(connection, &[seq], now)?;
    Ok(1)
}

pub(crate) fn redrive_many(
    connection: &Connection,
    (state, filter): (Redrivable, &DeliveryFilter),
    after: i64,
    now: Timestamp,
) -> Result<Progress, Failure> {
    let state = state.state().name();
    // Whatever is selected, one commit looks at so many and no more.
    let sql = format!(
        "SELECT deliveries.seq, subscriptions.state <> 'ended' AND {} AND NOT ({SUPERSEDED} OR {IS_SPAM} OR {EXPIRED} ?6)) \
         AS selected FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription WHERE deliveries.seq > ?5 \
         AND {RARE_STATES} AND deliveries.state = '{state}' ORDER BY deliveries.seq LIMIT {MAX_ROWS_PER_WRITE}",
        interventions::FILTER
    );
    let (subscription, protocol, from, before) = interventions::parameters(filter);
    let parameters = params![subscription, protocol, from, before, after, micros(now)];
    let mut statement = connection.prepare_cached(&sql)?;
    let seen = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let seen = seen.collect::<rusqlite::Result<Vec<(i64, bool)>>>()?;
    let selected: Vec<_> = seen.iter().filter(|(_, selected)| *selected).map(|(seq, _)| *seq).collect();
    make_pending(connection, &selected, now)?;
    let next = seen.last().map(|(seq, _)| *seq).filter(|_| seen.len() == MAX_ROWS_PER_WRITE);
    Ok(Progress { count: selected.len(), next })
}

fn make_pending(connection: &Connection, deliveries: &[i64], now: Timestamp) -> rusqlite::Result<()> {
    interventions::record(connection, deliveries, InterventionKind::Redriven, now)?;
    let mut make_pending = connection.prepare_cached(MAKE_PENDING)?;
    let mut subscriptions = BTreeSet::new();
    for seq in deliveries {
        subscriptions.insert(make_pending.query_row([*seq, micros(now)], |row| row.get(0))?);
    }
    refresh_each(connection, subscriptions)
}
