//! Making a subscription, changing what it wants, ending it.

use std::num::NonZeroU32;

use application::ports::{NewSubscription, Subscribed};
use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::attributes::{Attributes, AttributesChange};
use domain::fields::Fields;
use domain::filter_policy::FilterPolicy;
use domain::language::Language;
use domain::subscription::{
    CONFIRMATION_LIFETIME, EndReason, Subscription, SubscriptionId, SubscriptionState,
};
use domain::time_zone::TimeZoneName;
use domain::webhook_secret::WebhookSecret;
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::micros;
use crate::failure::Failure;
use crate::rows::{self, SUBSCRIPTION_COLUMNS};
use crate::subscriptions::transition::{changed, end, find, insert_confirmation_request, open_version};
use crate::unreadable::{Table, read_row};
use crate::write::Effects;

const INSERT: &str = "INSERT INTO subscriptions (id, protocol, endpoint, filter_policy, max_receives_per_second, \
     escalation_minutes, escalation_to, fields, receives, language, time_zone, state, generation, created_at, \
     confirmation_expires_at, secret) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', 1, ?, ?, ?)";
const CHANGE: &str = "UPDATE subscriptions SET filter_policy = ?2, max_receives_per_second = ?3, \
     escalation_minutes = ?4, escalation_to = ?5, language = ?6, time_zone = ?7, fields = ?8 WHERE seq = ?1";

pub(crate) fn subscribe(connection: &Connection, new: &NewSubscription) -> Result<Subscribed, Failure> {
    let (protocol, endpoint) = (new.endpoint.protocol().name(), new.endpoint.to_string());
    let sql = format!(
        "SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE protocol = ? AND endpoint = ? AND state <> 'ended'"
    );
    let existing = connection
        .prepare_cached(&sql)?
        .query_row([protocol, &endpoint], |row| {
            read_row(Table::Subscriptions, row.get("subscription_seq")?, row, rows::subscription)
        })
        .optional()?
        .transpose()
        .map_err(Error::from)?;
    let subscribed = match existing {
        Some(existing) if existing.attributes == new.attributes => Subscribed::Existing(existing),
        Some(existing) => Subscribed::Differs(existing),
        None => {
            let Attributes {
                filter_policy,
                max_receives_per_second,
                escalation,
                fields,
                receives,
                language,
                time_zone,
            } = &new.attributes;
            connection.prepare_cached(INSERT)?.execute(params![
                new.id.0.as_bytes(),
                protocol,
                endpoint,
                filter_policy.as_ref().map(FilterPolicy::stored),
                max_receives_per_second.map(NonZeroU32::get),
                escalation.map(|escalation| escalation.after_minutes.get()),
                escalation.map(|escalation| escalation.to.0.into_bytes()),
                fields.as_ref().map(Fields::stored),
                receives.name(),
                language.map(Language::name),
                time_zone.as_ref().map(TimeZoneName::as_str),
                micros(new.now),
                micros(new.now + CONFIRMATION_LIFETIME),
                new.secret.as_ref().map(WebhookSecret::reveal),
            ])?;
            let seq = connection.last_insert_rowid();
            open_version(connection, seq, SubscriptionState::Pending)?;
            insert_confirmation_request(connection, seq, new.confirmation, new.now)?;
            Subscribed::Created(find(connection, new.id)?.subscription)
        }
    };
    Ok(subscribed)
}

pub(crate) fn change_attributes(
    connection: &Connection,
    id: SubscriptionId,
    change: AttributesChange,
) -> Result<Subscription, Failure> {
    let found = find(connection, id)?;
    if found.subscription.state == SubscriptionState::Ended {
        return Err(subscription_ended().into());
    }
    let before = &found.subscription.attributes;
    let after = before.clone().changed(change).map_err(Error::from)?;
    if *before != after {
        let policy = after.filter_policy.as_ref();
        connection.prepare_cached(CHANGE)?.execute(params![
            found.seq,
            policy.map(FilterPolicy::stored),
            after.max_receives_per_second.map(NonZeroU32::get),
            after.escalation.map(|escalation| escalation.after_minutes.get()),
            after.escalation.map(|escalation| escalation.to.0.into_bytes()),
            after.language.map(Language::name),
            after.time_zone.as_ref().map(TimeZoneName::as_str),
            after.fields.as_ref().map(Fields::stored),
        ])?;
        if before.filter_policy.as_ref() != policy {
            open_version(connection, found.seq, found.subscription.state)?;
        }
    }
    changed(connection, id)
}

pub(crate) fn unsubscribe(
    connection: &Connection,
    effects: &mut Effects,
    id: SubscriptionId,
    reason: EndReason,
    now: Timestamp,
) -> Result<Subscription, Failure> {
    let found = find(connection, id)?;
    if found.subscription.state != SubscriptionState::Ended {
        end(connection, effects, &found, reason, now)?;
    }
    changed(connection, id)
}

/// A change that an ended subscription can no longer take.
pub(crate) fn subscription_ended() -> Error {
    Error::new(ErrorKind::Conflict, "subscription_ended", "The subscription has ended")
}
