//! Confirming subscriptions, asking for it again, and taking back what only the sandbox confirmed.

use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use rusqlite::Connection;

use crate::failure::Failure;
use crate::subscriptions::subscribe::subscription_ended;
use crate::subscriptions::transition;

pub(crate) fn confirm(
    connection: &Connection,
    id: SubscriptionId,
    generation: u32,
    in_sandbox: bool,
    now: Timestamp,
) -> Result<Subscription, Failure> {
    let found = transition::find(connection, id)?;
    found.subscription.check_confirmation(generation, now).map_err(Error::from)?;
    if found.subscription.state == SubscriptionState::Pending {
        transition::confirm(connection, &found, in_sandbox, now)?;
    }
    transition::changed(connection, id)
}

pub(crate) fn resend(
    connection: &Connection,
    id: SubscriptionId,
    delivery: DeliveryId,
    now: Timestamp,
) -> Result<Subscription, Failure> {
    let found = transition::find(connection, id)?;
    match found.subscription.state {
        SubscriptionState::Pending => transition::ask_again(connection, found.seq, delivery, now)?,
        SubscriptionState::Ended => return Err(subscription_ended().into()),
        SubscriptionState::Confirmed | SubscriptionState::Suspended => {
            let message = "The subscription is confirmed already";
            return Err(Error::new(ErrorKind::Conflict, "already_confirmed", message).into());
        }
    }
    transition::changed(connection, id)
}

/// Which subscriptions of a protocol only the sandbox confirmed, or were asked in the sandbox, and could
/// still answer: a confirmation request that its inbox keeps can be answered there, even if a crash hid that it was kept.
pub(crate) const ONLY_IN_SANDBOX: &str = "(state IN ('confirmed', 'suspended') AND confirmed_in_sandbox) OR \
     (state = 'pending' AND confirmation_expires_at > created_at AND (SELECT state = 'sandboxed' OR EXISTS (SELECT 1 FROM inbox WHERE inbox.id = deliveries.id) \
     FROM deliveries WHERE deliveries.subscription = subscriptions.seq AND kind = 'confirmation' \
     ORDER BY deliveries.seq DESC LIMIT 1))";

pub(crate) fn lapse(connection: &Connection, lapsing: &[i64], now: Timestamp) -> Result<usize, Failure> {
    let mut lapsed = 0;
    for subscription in lapsing {
        // The caller's view may be stale by now.
        let sql =
            format!("SELECT EXISTS (SELECT 1 FROM subscriptions WHERE seq = ? AND ({ONLY_IN_SANDBOX}))");
        if connection.prepare_cached(&sql)?.query_row([subscription], |row| row.get(0))? {
            transition::lapse(connection, *subscription, now)?;
            lapsed += 1;
        }
    }
    Ok(lapsed)
}
