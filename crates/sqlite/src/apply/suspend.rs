//! Suspending a subscription, and resuming it.

use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState, SuspensionReason};
use rusqlite::Connection;

use super::subscribe::subscription_ended;
use super::transition::{self, Found};
use super::{Effects, tell_operators};
use crate::failure::Failure;

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

/// Suspends a subscription whose endpoint has failed for too long, and owes the operators a notice.
pub(super) fn suspend_failing(connection: &Connection, found: &Found, now: Timestamp) -> Result<(), Failure> {
    transition::suspend(connection, found, SuspensionReason::Failing, now)?;
    tell_operators::suspended(connection, &found.subscription, now)
}

/// A subscription that was confirmed and has not ended.
pub(super) fn confirmed_once(connection: &Connection, id: SubscriptionId) -> Result<Found, Failure> {
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
