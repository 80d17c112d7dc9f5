//! Having what waits for its time tried at once.

use std::collections::BTreeSet;

use application::ports::{DeliveryFilter, InterventionKind};
use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryKind, DeliveryState};
use domain::subscription::SubscriptionState;
use rusqlite::{Connection, OptionalExtension};

use crate::columns::{self, micros};
use crate::deliveries::interventions::{self, PendingCursor};
use crate::delivery_queue::next_due::refresh_each;
use crate::delivery_queue::recovery::RESUME_ENDPOINT;
use crate::failure::Failure;
use crate::rows;
use crate::write::Progress;

const FIND: &str = "SELECT deliveries.seq, subscription, deliveries.state AS delivery_state, kind, \
     subscriptions.state AS subscription_state FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription \
     WHERE deliveries.id = ?";
/// What its subscription's state does not hold back.
const MAY_BE_SENT: &str =
    "subscriptions.state IN ('confirmed', iif(kind = 'confirmation', 'pending', 'confirmed'))";
const WAITS: &str = "SELECT at > ?2 FROM deliveries WHERE seq = ?1";
const MAKE_DUE: &str = "UPDATE deliveries SET at = min(at, ?2) WHERE seq = ?1";

pub(crate) fn retry(connection: &Connection, id: DeliveryId, now: Timestamp) -> Result<usize, Failure> {
    let found = connection.prepare_cached(FIND)?.query_row([id.0.as_bytes()], |row| {
        let state = columns::named(row, "delivery_state", &DeliveryState::ALL, DeliveryState::name)?;
        let place = (row.get::<_, i64>("seq")?, row.get::<_, i64>("subscription")?);
        Ok((place, state, rows::kind(row, "kind")?, rows::state(row, "subscription_state")?))
    });
    let ((seq, endpoint), state, kind, subscription) =
        found.optional()?.ok_or_else(|| Error::not_found("delivery_not_found", "delivery"))?;
    let refused = |code, message: String| Err(Error::new(ErrorKind::Conflict, code, message).into());
    if state != DeliveryState::Pending {
        return refused(
            "not_pending",
            format!("The delivery is {state}: only one that is pending can be retried"),
        );
    }
    match subscription {
        SubscriptionState::Suspended => refused(
            "subscription_suspended",
            "The delivery waits because its subscription is suspended: resume that".to_owned(),
        ),
        SubscriptionState::Ended => refused(
            "subscription_ended",
            "The delivery is being cancelled: its subscription ended".to_owned(),
        ),
        SubscriptionState::Pending if kind != DeliveryKind::Confirmation => {
            refused("not_confirmed", "The delivery waits until its subscription is confirmed".to_owned())
        }
        _ => {
            interventions::record(connection, &[seq], InterventionKind::Retried, now)?;
            make_due(connection, &[seq], [endpoint].into(), now)?;
            Ok(1)
        }
    }
}

/// Retries the next of those that are pending.
pub(crate) fn retry_pending(
    connection: &Connection,
    filter: &DeliveryFilter,
    after: PendingCursor,
    now: Timestamp,
) -> Result<Progress<PendingCursor>, Failure> {
    let (selected, next) = interventions::pending_after(connection, after, filter, MAY_BE_SENT)?;
    let mut waits = connection.prepare_cached(WAITS)?;
    let mut pauses_lifted = Vec::new();
    for place in &selected {
        if waits.query_row([place.delivery, micros(now)], |row| row.get(0))? {
            pauses_lifted.push(place.delivery);
        }
    }
    interventions::record(connection, &pauses_lifted, InterventionKind::Retried, now)?;
    let endpoints = selected.iter().map(|place| place.subscription).collect();
    make_due(connection, &pauses_lifted, endpoints, now)?;
    Ok(Progress { count: selected.len(), next })
}

/// Their endpoints are no longer left alone, either.
fn make_due(
    connection: &Connection,
    deliveries: &[i64],
    endpoints: BTreeSet<i64>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut make_due = connection.prepare_cached(MAKE_DUE)?;
    for seq in deliveries {
        make_due.execute([*seq, micros(now)])?;
    }
    let mut end_pause = connection.prepare_cached(RESUME_ENDPOINT)?;
    for subscription in &endpoints {
        end_pause.execute([subscription])?;
    }
    refresh_each(connection, endpoints)
}
