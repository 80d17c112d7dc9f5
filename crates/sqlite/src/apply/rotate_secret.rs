//! Giving a webhook a new secret.

use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use domain::webhook_secret::WebhookSecret;
use rusqlite::{Connection, params};

use super::subscribe::subscription_ended;
use super::transition;
use crate::columns::micros;
use crate::failure::Failure;

const ROTATE: &str =
    "UPDATE subscriptions SET secret = ?2, previous_secret = ?3, previous_secret_until = ?4 WHERE seq = ?1";

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
