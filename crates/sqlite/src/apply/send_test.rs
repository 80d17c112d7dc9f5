//! Owing a subscription a test.

use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use rusqlite::{Connection, params};

use super::next_due::refresh;
use super::suspend::confirmed_once;
use super::transition;
use crate::columns::micros;
use crate::failure::Failure;

const OWE: &str = "INSERT INTO deliveries (id, kind, subscription, state, created_at, at) \
     VALUES (?1, 'test', ?2, 'pending', ?3, ?3)";

pub(crate) fn send_test(
    connection: &Connection,
    id: SubscriptionId,
    delivery: DeliveryId,
    now: Timestamp,
) -> Result<Subscription, Failure> {
    let found = confirmed_once(connection, id)?;
    if found.subscription.state == SubscriptionState::Suspended {
        let message = "The subscription is suspended: resume it first";
        return Err(Error::new(ErrorKind::Conflict, "subscription_suspended", message).into());
    }
    connection.prepare_cached(OWE)?.execute(params![delivery.0.as_bytes(), found.seq, micros(now)])?;
    refresh(connection, found.seq)?;
    transition::changed(connection, id)
}
