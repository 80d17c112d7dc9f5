//! A subscription's row, and its versions' rows.

use std::ops::RangeInclusive;
use std::time::Duration;

use domain::attributes::{Attributes, Escalation, Minutes, SubscribedTo, stored_rate};
use domain::endpoint::{Endpoint, Protocol};
use domain::failure_streak::FailureStreak;
use domain::fields::Fields;
use domain::filter_policy::FilterPolicy;
use domain::language::Language;
use domain::order::Seq;
use domain::subscription::{
    Confirmation, End, EndReason, Subscription, SubscriptionId, SubscriptionState, Suspension,
    SuspensionReason, Version,
};
use domain::time_zone::TimeZoneName;
use domain::webhook_secret::{WebhookSecret, WebhookSecrets};
use rusqlite::Row;

use crate::columns::{self, ColumnError};
use crate::unreadable::{Read, Table, Unreadable, read_row};

/// What [`subscription`] reads of the table `subscriptions`.
pub(crate) const SUBSCRIPTION_COLUMNS: &str = "subscriptions.seq AS subscription_seq, \
     subscriptions.id AS subscription_id, subscriptions.protocol, subscriptions.endpoint, \
     subscriptions.filter_policy, subscriptions.state AS subscription_state, subscriptions.generation, \
     subscriptions.created_at AS subscribed_at, subscriptions.confirmation_expires_at, subscriptions.confirmed_at, \
     subscriptions.confirmed_in_sandbox, subscriptions.ended_at, subscriptions.end_reason, subscriptions.secret, \
     previous_secret, previous_secret_until, receives, language, time_zone, max_receives_per_second, escalation_minutes, escalation_to, fields, \
     failing_since, failed_last, failed_for, failures, suspended_at, suspension_reason";

/// The subscription in a row that has [`SUBSCRIPTION_COLUMNS`].
pub(crate) fn subscription(row: &Row<'_>) -> rusqlite::Result<Subscription> {
    Ok(Subscription {
        id: SubscriptionId(columns::uuid(row, "subscription_id")?),
        endpoint: endpoint(row)?,
        attributes: attributes(row)?,
        state: state(row, "subscription_state")?,
        generation: row.get("generation")?,
        created_at: Some(columns::time(row, "subscribed_at")?),
        confirmation_expires_at: Some(columns::time(row, "confirmation_expires_at")?),
        confirmation: confirmation(row)?,
        failure_streak: failure_streak(row)?,
        suspension: suspension(row)?,
        end: end(row)?,
        secrets: secrets(row)?,
    })
}

/// What [`version`] reads of `subscription_versions` joined with `subscriptions`.
pub(crate) const VERSION_COLUMNS: &str = "subscription, subscriptions.id AS subscription_id, from_seq, to_seq, \
     subscription_versions.state, subscription_versions.filter_policy, receives, protocol";

/// Where [`VERSION_COLUMNS`] come from.
pub(crate) const VERSIONS: &str =
    "subscription_versions JOIN subscriptions ON subscriptions.seq = subscription";

/// The version in a row that has [`VERSION_COLUMNS`].
fn version(row: &Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        subscription: SubscriptionId(columns::uuid(row, "subscription_id")?),
        from: Seq(row.get("from_seq")?),
        to: row.get::<_, Option<i64>>("to_seq")?.map(Seq),
        state: state(row, "state")?,
        filter_policy: filter_policy(row)?,
        receives: receives(row)?,
    })
}

/// What a subscription was, as far as it can be read.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    pub(crate) readable: Vec<Version>,
    /// The orders that the others held for, by their places.
    pub(crate) unreadable: Vec<(RangeInclusive<i64>, Unreadable)>,
}

impl Versions {
    /// Adds that in a row that has [`VERSION_COLUMNS`].
    pub(crate) fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        match found_version(row)? {
            Ok(version) => self.readable.push(version),
            Err(unreadable) => {
                let span = row.get("from_seq")?..=row.get::<_, Option<i64>>("to_seq")?.unwrap_or(i64::MAX);
                self.unreadable.push((span, unreadable));
            }
        }
        Ok(())
    }

    /// Why the others cannot be read.
    pub(crate) fn all_unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.unreadable.iter().map(|(_, unreadable)| unreadable)
    }

    /// Why nobody can say whether an order matches, if one of the others held for it.
    pub(crate) fn hides(&self, order: Seq) -> Option<&Unreadable> {
        self.unreadable.iter().find(|(span, _)| span.contains(&order.0)).map(|(_, unreadable)| unreadable)
    }
}

/// The version in a row that has [`VERSION_COLUMNS`], or which of the two rows cannot be read.
pub(crate) fn found_version(row: &Row<'_>) -> rusqlite::Result<Read<Version>> {
    let seq = row.get("subscription")?;
    let of_subscription =
        |row: &Row<'_>| Ok((columns::uuid(row, "subscription_id")?, receives(row)?, protocol(row)?));
    match read_row(Table::Subscriptions, seq, row, of_subscription)? {
        Ok(_) => read_row(Table::SubscriptionVersions, seq, row, version),
        Err(unreadable) => Ok(Err(unreadable)),
    }
}

/// What [`failure_streak`] reads of the table `subscriptions`.
pub(crate) const FAILING_COLUMNS: &str = "failing_since, failed_last, failed_for, failures";

/// How an endpoint fails, in a row that has [`FAILING_COLUMNS`].
pub(crate) fn failure_streak(row: &Row<'_>) -> rusqlite::Result<Option<FailureStreak>> {
    let Some(since) = columns::time_or_none(row, "failing_since")? else { return Ok(None) };
    Ok(Some(FailureStreak {
        since,
        last: columns::time_or_none(row, "failed_last")?.unwrap_or(since),
        duration: Duration::from_micros(
            row.get::<_, Option<i64>>("failed_for")?.unwrap_or_default().unsigned_abs(),
        ),
        count: columns::count(row, "failures")?,
    }))
}

/// The column `protocol`.
pub(crate) fn protocol(row: &Row<'_>) -> rusqlite::Result<Protocol> {
    columns::named(row, "protocol", &Protocol::ALL, Protocol::name)
}

/// The columns `protocol` and `endpoint`.
pub(super) fn endpoint(row: &Row<'_>) -> rusqlite::Result<Endpoint> {
    Ok(Endpoint::stored(protocol(row)?, row.get("endpoint")?))
}

/// The column `filter_policy`.
fn filter_policy(row: &Row<'_>) -> rusqlite::Result<Option<FilterPolicy>> {
    if columns::is_null(row, "filter_policy")? {
        return Ok(None);
    }
    columns::read(row, "filter_policy", |text: String| {
        FilterPolicy::from_stored(&text)
            .map_err(|wrong| ColumnError(format!("no policy that can be followed ({})", wrong.code)))
    })
    .map(Some)
}

/// A column that holds a subscription's state.
pub(crate) fn state(row: &Row<'_>, column: &str) -> rusqlite::Result<SubscriptionState> {
    columns::named(row, column, &SubscriptionState::ALL, SubscriptionState::name)
}

fn attributes(row: &Row<'_>) -> rusqlite::Result<Attributes> {
    Ok(Attributes {
        filter_policy: filter_policy(row)?,
        max_receives_per_second: row.get::<_, Option<i64>>("max_receives_per_second")?.map(stored_rate),
        escalation: escalation(row)?,
        fields: fields(row)?,
        receives: receives(row)?,
        language: language(row)?,
        time_zone: time_zone(row)?,
    })
}

/// The column `language`. One that cannot be read is none: a message in another language is better than no message.
fn language(row: &Row<'_>) -> rusqlite::Result<Option<Language>> {
    Ok(columns::text_or_none(row, "language")?.and_then(Language::of_tag))
}

/// The column `time_zone`, whether this machine knows the zone or not.
fn time_zone(row: &Row<'_>) -> rusqlite::Result<Option<TimeZoneName>> {
    Ok(columns::text_or_none(row, "time_zone")?.map(TimeZoneName::stored))
}

fn escalation(row: &Row<'_>) -> rusqlite::Result<Option<Escalation>> {
    let (to, minutes) = (columns::uuid_or_none(row, "escalation_to")?, row.get("escalation_minutes")?);
    Ok(to
        .zip(minutes)
        .map(|(to, minutes)| Escalation { after_minutes: Minutes::stored(minutes), to: SubscriptionId(to) }))
}

/// The column `fields`. What is no list of fields hides the subscription: nobody shows what may have to be hidden.
fn fields(row: &Row<'_>) -> rusqlite::Result<Option<Fields>> {
    if columns::is_null(row, "fields")? {
        return Ok(None);
    }
    columns::read(row, "fields", |text: String| {
        Fields::from_stored(&text).map_err(|_| ColumnError("no list of fields that is known".to_owned()))
    })
    .map(Some)
}

fn receives(row: &Row<'_>) -> rusqlite::Result<SubscribedTo> {
    columns::named(row, "receives", &SubscribedTo::ALL, SubscribedTo::name)
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
