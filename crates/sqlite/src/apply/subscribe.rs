//! Making a subscription, changing what it wants, ending it.

use application::ports::{NewSubscription, Subscribed};
use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::filter_policy::FilterPolicy;
use domain::subscription::{CONFIRMATION_LIFETIME, EndReason, SubscriptionId, SubscriptionState};
use domain::webhook_secret::WebhookSecret;
use rusqlite::{Connection, OptionalExtension, params};

use super::Answer;
use super::transition::{changed, end, find, open_version, owe_confirmation};
use crate::columns::micros;
use crate::failure::Failure;
use crate::rows::{self, SUBSCRIPTION_COLUMNS};

const INSERT: &str = "INSERT INTO subscriptions (id, protocol, endpoint, filter_policy, state, generation, created_at, \
     confirmation_expires_at, secret) VALUES (?, ?, ?, ?, 'pending', 1, ?, ?, ?)";

pub(super) fn subscribe(connection: &Connection, new: &NewSubscription) -> Result<Answer, Failure> {
    let (protocol, endpoint) = (new.endpoint.protocol().name(), new.endpoint.to_string());
    let sql = format!(
        "SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE protocol = ? AND endpoint = ? AND state <> 'ended'"
    );
    let existing =
        connection.prepare_cached(&sql)?.query_row([protocol, &endpoint], rows::subscription).optional()?;
    let subscribed = match existing {
        Some(existing) if existing.filter_policy == new.filter_policy => Subscribed::Existing(existing),
        Some(existing) => Subscribed::Differs(existing),
        None => {
            connection.prepare_cached(INSERT)?.execute(params![
                new.id.0.as_bytes(),
                protocol,
                endpoint,
                new.filter_policy.as_ref().map(FilterPolicy::as_str),
                micros(new.now),
                micros(new.now + CONFIRMATION_LIFETIME),
                new.secret.as_ref().map(WebhookSecret::reveal),
            ])?;
            let seq = connection.last_insert_rowid();
            open_version(connection, seq, SubscriptionState::Pending, new.filter_policy.as_ref())?;
            owe_confirmation(connection, seq, new.confirmation, new.now)?;
            Subscribed::Created(find(connection, new.id)?.subscription)
        }
    };
    Ok(Answer::Subscribed(Box::new(subscribed)))
}

pub(super) fn set_filter_policy(
    connection: &Connection,
    id: SubscriptionId,
    policy: Option<&FilterPolicy>,
) -> Result<Answer, Failure> {
    let found = find(connection, id)?;
    if found.subscription.state == SubscriptionState::Ended {
        return Err(subscription_ended().into());
    }
    if found.subscription.filter_policy.as_ref() != policy {
        let text = policy.map(FilterPolicy::as_str);
        let sql = "UPDATE subscriptions SET filter_policy = ? WHERE seq = ?";
        connection.prepare_cached(sql)?.execute(params![text, found.seq])?;
        open_version(connection, found.seq, found.subscription.state, policy)?;
    }
    changed(connection, id)
}

pub(super) fn unsubscribe(
    connection: &Connection,
    id: SubscriptionId,
    reason: EndReason,
    now: Timestamp,
) -> Result<Answer, Failure> {
    let found = find(connection, id)?;
    if found.subscription.state != SubscriptionState::Ended {
        end(connection, &found, reason, now)?;
    }
    changed(connection, id)
}

/// A change that an ended subscription can no longer take.
pub(super) fn subscription_ended() -> Error {
    Error::new(ErrorKind::Conflict, "subscription_ended", "The subscription has ended")
}
