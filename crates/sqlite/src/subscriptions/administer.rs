//! What an operator does to a subscription: suspends and resumes it, gives it a new secret, sends it a test.

use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState, SuspensionReason};
use domain::webhook_secret::WebhookSecret;
use rusqlite::{Connection, params};

use crate::columns::micros;
use crate::delivery_queue::next_due::refresh;
use crate::failure::Failure;
use crate::notices;
use crate::subscriptions::subscribe::subscription_ended;
use crate::subscriptions::transition::{self, Found};
use crate::write::Effects;

const ROTATE: &str =
    "UPDATE subscriptions SET secret = ?2, previous_secret = ?3, previous_secret_until = ?4 WHERE seq = ?1";
const OWE_TEST: &str = "INSERT INTO deliveries (id, kind, subscription, state, created_at, at) \
     VALUES (?1, 'test', ?2, 'pending', ?3, ?3)";

pub(crate) fn suspend(
    connection: &Connection,
    id: SubscriptionId,
    reason: SuspensionReason,
    now: Timestamp,
) -> Result<Subscription, Failure> {
    let found = confirmed_once(connection, id)?;
    if found.subscription.state == SubscriptionState::Confirmed {
        transition::suspend(connection, &found, reason, now)?;
    }
    transition::changed(connection, id)
}

pub(crate) fn resume(
    connection: &Connection,
    effects: &mut Effects,
    id: SubscriptionId,
    now: Timestamp,
) -> Result<Subscription, Failure> {
    let found = confirmed_once(connection, id)?;
    if found.subscription.state == SubscriptionState::Suspended {
        transition::resume(connection, effects, &found, now)?;
    }
    transition::changed(connection, id)
}

/// Suspends a subscription whose endpoint has failed for too long, and notes it for a notice to the operators.
pub(crate) fn suspend_failing(connection: &Connection, found: &Found, now: Timestamp) -> Result<(), Failure> {
    transition::suspend(connection, found, SuspensionReason::Failing, now)?;
    notices::suspended(connection, &found.subscription, now)
}

/// A subscription that was confirmed and has not ended.
pub(crate) fn confirmed_once(connection: &Connection, id: SubscriptionId) -> Result<Found, Failure> {
    let found = transition::find(connection, id)?;
    match found.subscription.state {
        SubscriptionState::Confirmed | SubscriptionState::Suspended => Ok(found),
        SubscriptionState::Ended => Err(subscription_ended().into()),
        SubscriptionState::Pending => {
            let message = "The subscription has not been confirmed";
            Err(Error::new(ErrorKind::Conflict, "not_confirmed", message).into())
        }
    }
}

pub(crate) fn rotate_secret(
    connection: &Connection,
    id: SubscriptionId,
    next: WebhookSecret,
    now: Timestamp,
) -> Result<Subscription, Failure> {
    let found = transition::find(connection, id)?;
    if found.subscription.state == SubscriptionState::Ended {
        return Err(subscription_ended().into());
    }
    let Some(secrets) = found.subscription.secrets else {
        let message = "The subscription has no secret: only what is sent to a webhook is signed";
        return Err(Error::new(ErrorKind::Conflict, "no_secret", message).into());
    };
    let rotated = secrets.rotated(next, now);
    let (previous, until) = rotated.previous.unzip();
    connection.prepare_cached(ROTATE)?.execute(params![
        found.seq,
        rotated.current.reveal(),
        previous.as_ref().map(WebhookSecret::reveal),
        until.map(micros),
    ])?;
    transition::changed(connection, id)
}

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
    connection.prepare_cached(OWE_TEST)?.execute(params![delivery.0.as_bytes(), found.seq, micros(now)])?;
    refresh(connection, found.seq)?;
    transition::changed(connection, id)
}
