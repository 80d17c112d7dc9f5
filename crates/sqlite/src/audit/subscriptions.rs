//! Subscriptions and their versions: one version for each order since the first, the last of them as the subscription
//! is.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::endpoint::Protocol;
use domain::filter_policy::FilterPolicy;
use domain::order::Seq;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState, Version};
use rusqlite::Connection;

use super::exception::{Exception, ExceptionKind, Findings};
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
    /// By the orders that they hold for; `None` where one cannot be read, so that nobody knows what is owed.
    pub(super) versions: Option<Vec<Version>>,
}

pub(super) fn check(snapshot: &Connection, findings: &mut Findings<'_>) -> rusqlite::Result<Subscriptions> {
    let mut subscriptions = read(snapshot, findings)?;
    read_versions(snapshot, &mut subscriptions, findings)?;
    for subscribed in subscriptions.values() {
        let Some(versions) = &subscribed.versions else { continue };
        let broken = broken(versions).map(|wrong| (ExceptionKind::VersionsBroken, wrong));
        let differs =
            differs(subscribed, versions).map(|wrong| (ExceptionKind::SubscriptionDisagrees, wrong));
        for (kind, wrong) in broken.into_iter().chain(differs) {
            findings.add(Exception::new(kind, wrong).subscription(subscribed.id));
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

/// Where versions, in the order of what they hold for, overlap, leave orders out, or end.
fn broken(versions: &[Version]) -> Option<String> {
    let Some(last) = versions.last() else { return Some("it has no version".to_owned()) };
    let backwards = versions.iter().find(|version| version.to.is_some_and(|to| to < version.from));
    if let Some(Version { from, .. }) = backwards {
        return Some(format!("its version from order {} ends before it begins", from.0));
    }
    for (version, next) in versions.iter().zip(versions.iter().skip(1)) {
        let (from, next) = (version.from.0, next.from.0);
        match version.to {
            Some(Seq(to)) if to.checked_add(1) == Some(next) => {}
            Some(Seq(to)) if to < next => {
                return Some(format!("no version holds between orders {to} and {next}"));
            }
            _ => return Some(format!("its versions from orders {from} and {next} overlap")),
        }
    }
    last.to.map(|to| format!("no version holds for the orders after {}", to.0))
}

/// What of a subscription is not as its last version says.
fn differs(subscribed: &Subscribed, versions: &[Version]) -> Option<String> {
    let last = versions.last()?;
    if last.state != subscribed.state {
        return Some(format!("it is {}, its last version {}", subscribed.state, last.state));
    }
    let policy_differs = last.filter_policy != subscribed.filter_policy;
    policy_differs.then(|| "its filter policy is not that of its last version".to_owned())
}

#[cfg(test)]
mod tests {
    use domain::attributes::SubscribedTo;

    use super::*;

    fn versions(spans: &[(i64, Option<i64>)]) -> Vec<Version> {
        let subscription = SubscriptionId::new(Timestamp::UNIX_EPOCH, [0; 10]);
        let version = |(from, to): &(i64, Option<i64>)| Version {
            subscription,
            from: Seq(*from),
            to: to.map(Seq),
            state: SubscriptionState::Confirmed,
            filter_policy: None,
            receives: SubscribedTo::Orders,
        };
        spans.iter().map(version).collect()
    }

    #[test]
    fn versions_follow_one_another_without_a_gap_and_the_last_has_no_end() {
        assert_eq!(broken(&versions(&[(1, None)])), None);
        assert_eq!(broken(&versions(&[(3, Some(3)), (4, Some(9)), (10, None)])), None);
    }

    #[test]
    fn what_is_broken_about_versions_is_told_with_the_orders_it_concerns() {
        let told = |spans: &[(i64, Option<i64>)]| broken(&versions(spans)).unwrap_or_default();
        assert_eq!(told(&[]), "it has no version");
        assert_eq!(told(&[(1, Some(4)), (6, None)]), "no version holds between orders 4 and 6");
        assert_eq!(told(&[(1, Some(4)), (4, None)]), "its versions from orders 1 and 4 overlap");
        assert_eq!(told(&[(1, None), (4, None)]), "its versions from orders 1 and 4 overlap");
        assert_eq!(told(&[(1, Some(4))]), "no version holds for the orders after 4");
        assert_eq!(told(&[(5, Some(4)), (5, None)]), "its version from order 5 ends before it begins");
    }
}
