//! The versions that orders are matched with, kept between two runs of the relay: to read and to compile the filter policies
//! of thousands for each order would take longer than all else.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::order::Seq;
use domain::subscription::Version;
use rusqlite::Connection;

use crate::ports::all;
use crate::rows;

/// The most versions that are kept; where there are more, they are read for each run.
const MOST_KEPT: usize = 20_000;

/// The versions of each subscription, by its `seq`, that can owe orders from a place on.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    from: Seq,
    /// How often versions had changed by then.
    changes: i64,
    pub(super) versions: Arc<BTreeMap<i64, Vec<Version>>>,
}

impl Candidates {
    /// Those of now, for orders from `first` on: `kept`, as long as they are right.
    pub(super) fn of(connection: &Connection, first: Seq, kept: Option<Self>) -> rusqlite::Result<Self> {
        let sql = "SELECT times FROM version_changes";
        let changes = connection.prepare_cached(sql)?.query_row((), |row| row.get(0))?;
        match kept.filter(|kept| kept.changes == changes && kept.from <= first) {
            Some(kept) => Ok(kept),
            None => Ok(Self { from: first, changes, versions: Arc::new(versions(connection, first)?) }),
        }
    }

    /// Whether so many can be kept.
    pub(super) fn are_few(&self) -> bool {
        self.versions.values().map(Vec::len).sum::<usize>() <= MOST_KEPT
    }
}

fn versions(connection: &Connection, first: Seq) -> rusqlite::Result<BTreeMap<i64, Vec<Version>>> {
    let sql = "SELECT subscription, subscriptions.id AS subscription_id, from_seq, to_seq, \
               subscription_versions.state, subscription_versions.filter_policy, receives \
               FROM subscription_versions JOIN subscriptions ON subscriptions.seq = subscription \
               WHERE (to_seq IS NULL OR to_seq >= ?) \
               AND subscription_versions.state IN ('confirmed', 'suspended')";
    let rows = all(connection.prepare_cached(sql)?, [first.0], |row| {
        Ok((row.get::<_, i64>("subscription")?, rows::version(row)?))
    })?;
    let mut versions = BTreeMap::<_, Vec<_>>::new();
    for (subscription, version) in rows {
        versions.entry(subscription).or_default().push(version);
    }
    Ok(versions)
}
