//! The versions that orders are matched with, kept between two runs of the relay: to read and to compile the filter
//! policies of thousands for each order would take longer than all else.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::order::Seq;
use rusqlite::Connection;

use crate::rows::{VERSION_COLUMNS, VERSIONS, Versions};

/// The most versions that are kept; where there are more, they are read for each run.
const MAX_CACHED_VERSIONS: usize = 20_000;

/// The versions of each subscription, by its `seq`, that orders from a place on can match.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    from: Seq,
    /// How often versions had changed by then.
    changes: i64,
    pub(crate) versions: Arc<BTreeMap<i64, Versions>>,
}

impl Candidates {
    /// Those of now, for orders from `first` on: `kept`, as long as they are right.
    pub(crate) fn of(connection: &Connection, first: Seq, kept: Option<Self>) -> rusqlite::Result<Self> {
        let sql = "SELECT times FROM version_changes";
        let changes = connection.prepare_cached(sql)?.query_row((), |row| row.get(0))?;
        match kept.filter(|kept| kept.changes == changes && kept.from <= first) {
            Some(kept) => Ok(kept),
            None => Ok(Self { from: first, changes, versions: Arc::new(versions(connection, first)?) }),
        }
    }

    /// Whether so many can be kept. That one which cannot be read is mended counts as a change.
    pub(crate) fn can_be_kept(&self) -> bool {
        let many = |versions: &Versions| versions.readable.len() + versions.unreadable.len();
        self.versions.values().map(many).sum::<usize>() <= MAX_CACHED_VERSIONS
    }
}

/// A state that nobody knows may be one of those that match.
fn versions(connection: &Connection, first: Seq) -> rusqlite::Result<BTreeMap<i64, Versions>> {
    let sql = format!(
        "SELECT {VERSION_COLUMNS} FROM {VERSIONS} WHERE (to_seq IS NULL OR to_seq >= ?) \
         AND subscription_versions.state NOT IN ('pending', 'ended')"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query([first.0])?;
    let mut versions = BTreeMap::<_, Versions>::new();
    while let Some(row) = found.next()? {
        versions.entry(row.get("subscription")?).or_default().add(row)?;
    }
    Ok(versions)
}
