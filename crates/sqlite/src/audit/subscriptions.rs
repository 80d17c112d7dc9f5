//! Subscriptions and their versions: one version for each order since the first, the last of them as the subscription
//! is.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::endpoint::Protocol;
use domain::filter_policy::FilterPolicy;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState, Version};
use oracle::Violation;
use oracle::subscriptions::{Span, State, as_last_version, whole};
use rusqlite::Connection;

use super::exception::{Exception, Findings};
use crate::columns;
use crate::rows::{self, SUBSCRIPTION_COLUMNS, VERSION_COLUMNS, VERSIONS};
use crate::unreadable::{Table, read_row};

/// Every subscription that can be read, by its `seq`.
pub(super) type Subscriptions = BTreeMap<i64, Subscribed>;

/// A subscription, as far as other checks need it.
pub(super) struct Subscribed {
    pub(super) id: SubscriptionId,
    pub(super) protocol: Protocol,
    pub(super) state: SubscriptionState,
    pub(super) generation: u32,
    pub(super) has_lapsed: bool,
    /// Until when its endpoint is left alone.
    pub(super) retry_at: Option<Timestamp>,
    filter_policy: Option<FilterPolicy>,
    /// By the orders that they hold for; `None` where one cannot be read, so that nobody knows what matches.
    pub(super) versions: Option<Vec<Version>>,
}

pub(super) fn check(snapshot: &Connection, findings: &mut Findings<'_>) -> rusqlite::Result<Subscriptions> {
    let mut subscriptions = read(snapshot, findings)?;
    read_versions(snapshot, &mut subscriptions, findings)?;
    for subscribed in subscriptions.values() {
        let Some(versions) = &subscribed.versions else { continue };
        for violation in judge(subscribed, versions) {
            findings.add(Exception::from(violation).subscription(subscribed.id));
        }
    }
    Ok(subscriptions)
}

fn read(snapshot: &Connection, findings: &mut Findings<'_>) -> rusqlite::Result<Subscriptions> {
    let sql = format!("SELECT {SUBSCRIPTION_COLUMNS}, retry_at FROM subscriptions ORDER BY seq");
    let mut statement = snapshot.prepare(&sql)?;
    let mut found = statement.query(())?;
    let mut subscriptions = Subscriptions::new();
    while let Some(row) = found.next()? {
        let seq = row.get("subscription_seq")?;
        match read_row(Table::Subscriptions, seq, row, rows::subscription)? {
            Ok(subscription) => {
                let retry_at = columns::time_or_none(row, "retry_at").unwrap_or_default();
                subscriptions.insert(seq, subscribed(subscription, retry_at));
            }
            Err(unreadable) => {
                let id = columns::uuid(row, "subscription_id").ok().map(SubscriptionId);
                let exception = findings.unreadable(&unreadable);
                findings.add(exception.subscription(id));
            }
        }
    }
    Ok(subscriptions)
}

fn subscribed(subscription: Subscription, retry_at: Option<Timestamp>) -> Subscribed {
    Subscribed {
        id: subscription.id,
        protocol: subscription.endpoint.protocol(),
        state: subscription.state,
        generation: subscription.generation,
        has_lapsed: subscription.has_lapsed(),
        retry_at,
        filter_policy: subscription.attributes.filter_policy,
        versions: Some(Vec::new()),
    }
}

/// Those of subscriptions that are gone are found as dangling references.
fn read_versions(
    snapshot: &Connection,
    subscriptions: &mut Subscriptions,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<()> {
    let sql = format!("SELECT {VERSION_COLUMNS} FROM {VERSIONS} ORDER BY subscription, from_seq");
    let mut statement = snapshot.prepare(&sql)?;
    let mut found = statement.query(())?;
    while let Some(row) = found.next()? {
        let seq: i64 = row.get("subscription")?;
        let Some(subscribed) = subscriptions.get_mut(&seq) else { continue };
        match rows::found_version(row)? {
            Ok(version) => subscribed.versions.iter_mut().for_each(|all| all.push(version.clone())),
            Err(unreadable) => {
                subscribed.versions = None;
                let exception = findings.unreadable(&unreadable);
                findings.add(exception.subscription(subscribed.id));
            }
        }
    }
    Ok(())
}

/// Holds a subscription's versions against one another, and it against the last of them.
fn judge(subscribed: &Subscribed, versions: &[Version]) -> Vec<Violation> {
    let spans: Vec<_> =
        versions.iter().map(|version| Span { from: version.from.0, to: version.to.map(|to| to.0) }).collect();
    let differs = versions.last().and_then(|last| {
        let same_policy = last.filter_policy == subscribed.filter_policy;
        as_last_version(state(subscribed.state), state(last.state), same_policy)
    });
    whole(&spans).into_iter().chain(differs).collect()
}

/// A state in the words of whoever judges.
pub(super) fn state(state: SubscriptionState) -> State {
    match state {
        SubscriptionState::Pending => State::Pending,
        SubscriptionState::Confirmed => State::Confirmed,
        SubscriptionState::Suspended => State::Suspended,
        SubscriptionState::Ended => State::Ended,
    }
}
