//! A subscription's row, and its versions' rows.

use std::time::Duration;

use domain::attributes::{self, Attributes, Escalation, Minutes, Receives};
use domain::endpoint::{Endpoint, Protocol};
use domain::failing::Failing;
use domain::filter_policy::FilterPolicy;
use domain::order::Seq;
use domain::subscription::{
    Confirmation, End, EndReason, Subscription, SubscriptionId, SubscriptionState, Suspension,
    SuspensionReason, Version,
};
use domain::webhook_secret::{WebhookSecret, WebhookSecrets};
use rusqlite::Row;

use crate::columns;

/// What [`subscription`] reads of the table `subscriptions`.
pub(crate) const SUBSCRIPTION_COLUMNS: &str = "subscriptions.seq AS subscription_seq, \
     subscriptions.id AS subscription_id, subscriptions.protocol, subscriptions.endpoint, \
     subscriptions.filter_policy, subscriptions.state AS subscription_state, subscriptions.generation, \
     subscriptions.created_at AS subscribed_at, subscriptions.confirmation_expires_at, subscriptions.confirmed_at, \
     subscriptions.confirmed_in_sandbox, subscriptions.ended_at, subscriptions.end_reason, subscriptions.secret, \
     previous_secret, previous_secret_until, receives, max_receives_per_second, escalation_minutes, escalation_to, \
     failing_since, failed_last, failed_for, failures, suspended_at, suspension_reason";

/// The subscription in a row that has [`SUBSCRIPTION_COLUMNS`].
pub(crate) fn subscription(row: &Row<'_>) -> rusqlite::Result<Subscription> {
    let protocol = protocol(row)?;
    Ok(Subscription {
        id: SubscriptionId(columns::uuid(row, "subscription_id")?),
        endpoint: columns::read(row, "endpoint", |text: String| Endpoint::parse(protocol, &text))?,
        attributes: attributes(row)?,
        state: state(row, "subscription_state")?,
        generation: row.get("generation")?,
        created_at: Some(columns::time(row, "subscribed_at")?),
        confirmation_expires_at: Some(columns::time(row, "confirmation_expires_at")?),
        confirmation: confirmation(row)?,
        failing: failing(row)?,
        suspension: suspension(row)?,
        end: end(row)?,
        secrets: secrets(row)?,
    })
}

/// The version in a row of `subscription_versions` with `subscription_id`.
pub(crate) fn version(row: &Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        subscription: SubscriptionId(columns::uuid(row, "subscription_id")?),
        from: Seq(row.get("from_seq")?),
        to: row.get::<_, Option<i64>>("to_seq")?.map(Seq),
        state: state(row, "state")?,
        filter_policy: filter_policy(row)?,
        receives: receives(row)?,
    })
}

/// What [`failing`] reads of the table `subscriptions`.
pub(crate) const FAILING_COLUMNS: &str = "failing_since, failed_last, failed_for, failures";

/// How an endpoint fails, in a row that has [`FAILING_COLUMNS`].
pub(crate) fn failing(row: &Row<'_>) -> rusqlite::Result<Option<Failing>> {
    let Some(since) = columns::time_or_none(row, "failing_since")? else { return Ok(None) };
    Ok(Some(Failing {
        since,
        last: columns::time_or_none(row, "failed_last")?.unwrap_or(since),
        lasted: Duration::from_micros(
            row.get::<_, Option<i64>>("failed_for")?.unwrap_or_default().unsigned_abs(),
        ),
        times: row.get("failures")?,
    }))
}

/// The column `protocol`.
pub(crate) fn protocol(row: &Row<'_>) -> rusqlite::Result<Protocol> {
    columns::read(row, "protocol", |name: String| Protocol::parse(&name))
}

/// The column `filter_policy`.
fn filter_policy(row: &Row<'_>) -> rusqlite::Result<Option<FilterPolicy>> {
    if columns::is_null(row, "filter_policy")? {
        return Ok(None);
    }
    columns::read(row, "filter_policy", |text: String| FilterPolicy::from_stored(&text)).map(Some)
}

/// A column that holds a subscription's state.
pub(crate) fn state(row: &Row<'_>, column: &str) -> rusqlite::Result<SubscriptionState> {
    columns::named(row, column, &SubscriptionState::ALL, SubscriptionState::name)
}

fn attributes(row: &Row<'_>) -> rusqlite::Result<Attributes> {
    let rate = match row.get::<_, Option<u32>>("max_receives_per_second")? {
        Some(_) => Some(columns::read(row, "max_receives_per_second", |rate: u32| {
            attributes::rate("max_receives_per_second", rate.into())
        })?),
        None => None,
    };
    Ok(Attributes {
        filter_policy: filter_policy(row)?,
        max_receives_per_second: rate,
        escalation: escalation(row)?,
        receives: receives(row)?,
    })
}

fn escalation(row: &Row<'_>) -> rusqlite::Result<Option<Escalation>> {
    let Some(to) = columns::uuid_or_none(row, "escalation_to")? else { return Ok(None) };
    let after_minutes = columns::read(row, "escalation_minutes", |minutes: u32| {
        Minutes::parse("escalation_minutes", minutes.into())
    })?;
    Ok(Some(Escalation { after_minutes, to: SubscriptionId(to) }))
}

fn receives(row: &Row<'_>) -> rusqlite::Result<Receives> {
    columns::named(row, "receives", &Receives::ALL, Receives::name)
}

fn secrets(row: &Row<'_>) -> rusqlite::Result<Option<WebhookSecrets>> {
    let secret =
        |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(column)?.map(WebhookSecret::stored));
    let Some(current) = secret("secret")? else { return Ok(None) };
    let previous = secret("previous_secret")?.zip(columns::time_or_none(row, "previous_secret_until")?);
    Ok(Some(WebhookSecrets { current, previous }))
}

fn suspension(row: &Row<'_>) -> rusqlite::Result<Option<Suspension>> {
    let Some(at) = columns::time_or_none(row, "suspended_at")? else { return Ok(None) };
    let reason = columns::named(row, "suspension_reason", &SuspensionReason::ALL, SuspensionReason::name)?;
    Ok(Some(Suspension { at, reason }))
}

fn confirmation(row: &Row<'_>) -> rusqlite::Result<Option<Confirmation>> {
    let Some(at) = columns::time_or_none(row, "confirmed_at")? else { return Ok(None) };
    Ok(Some(Confirmation { at, in_sandbox: row.get("confirmed_in_sandbox")? }))
}

fn end(row: &Row<'_>) -> rusqlite::Result<Option<End>> {
    let Some(at) = columns::time_or_none(row, "ended_at")? else { return Ok(None) };
    Ok(Some(End { at, reason: columns::named(row, "end_reason", &EndReason::ALL, EndReason::name)? }))
}
