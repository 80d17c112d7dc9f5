//! Where idempotency keys are found: the newest in memory, the others in an index on disk.
//!
//! An index on keys that clients choose at random dirties a page for nearly every order. So the hashes of new keys gather
//! in memory, about 30 bytes each, until there are as many as memory may hold; then they are moved into the index in the
//! index's own order, a piece with each commit, while new ones gather behind them. What is in neither place is on disk
//! with its order and behind the marker `flushed_through`: a start reads those anew, and no others.
//!
//! Every hit is checked against the key's own row, so that no collision, and no key that is over, answers for another.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

const HOUR: i64 = 3_600 * 1_000_000;
/// The upkeep waits until so many rows may be touched: a commit with a single order seldom pays for it.
const LEAST_PIECE: usize = 256;
/// How many rows the upkeep may touch in the two tables for each key that was accepted: it moves them in and clears them
/// away twice as fast as they come.
const ROWS_A_KEY: usize = 2;
/// How many are moved in one commit at the start.
const AT_START: usize = 10_000;

/// Where a key stands; in the order of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The hour since 1970 at whose beginning all keys of the period are over.
    pub(crate) period: i64,
    /// Of the key and whose it is.
    pub(crate) hash: i64,
    /// The `seq` of the order that was stored under it.
    pub(crate) order: i64,
}

/// What is known of keys in memory.
#[derive(Debug)]
pub(crate) struct KnownKeys {
    /// So many gather before they are moved.
    gathered_at_most: usize,
    /// In no index yet.
    gathered: BTreeSet<Place>,
    /// On their way into the index; all their orders come before those of the gathered.
    moving: BTreeSet<Place>,
    /// The last order of those, or of the last that were moved.
    moving_through: i64,
    /// There may be something in the index.
    has_index: bool,
    /// The last order that was stored under a key, be it rolled back since.
    last_order: i64,
    /// The periods of which there may be rows.
    periods: BTreeSet<i64>,
    /// How many rows the upkeep may touch.
    credit: usize,
    open: Open,
}

/// What the open transaction did.
#[derive(Debug, Default)]
struct Open {
    added: Vec<Place>,
    now: i64,
    moved: usize,
    emptied: Option<i64>,
    spent: usize,
}

/// What a key is looked up by: the first 64 bits of a SHA-256, for which nobody finds many keys that collide.
pub(super) fn hash(scope: &str, key: &str) -> i64 {
    hash_of(scope.as_bytes(), key.as_bytes())
}

pub(crate) fn hash_of(scope: &[u8], key: &[u8]) -> i64 {
    // A key holds no control characters: where the scope ends is certain.
    let digest = Sha256::new().chain_update(scope).chain_update([0]).chain_update(key).finalize();
    digest.first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
}

/// The period of a key that ends then. A period is as long as a lifetime, in whole hours: two of them are alive.
pub(super) fn period_of(ends_at: i64, lifetime: i64) -> i64 {
    let hours = (lifetime / HOUR + i64::from(lifetime % HOUR > 0)).max(1);
    (ends_at.div_euclid(HOUR).div_euclid(hours) + 1).saturating_mul(hours)
}

impl KnownKeys {
    /// Reads the keys that are not in the index yet, and which periods there are. `gathered_at_most` bounds the keys in
    /// memory: there are never more than one and a half times as many, beside those of one commit.
    pub(crate) fn read(connection: &Connection, gathered_at_most: usize) -> rusqlite::Result<Self> {
        let marker = "SELECT flushed_through FROM idempotency";
        let flushed: i64 = connection.query_row(marker, (), |row| row.get(0)).optional()?.unwrap_or(0);
        let mut keys = Self {
            gathered_at_most,
            gathered: BTreeSet::new(),
            moving: BTreeSet::new(),
            moving_through: flushed,
            has_index: connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM idempotency_hashes)",
                (),
                |row| row.get(0),
            )?,
            last_order: flushed,
            periods: BTreeSet::new(),
            credit: 0,
            open: Open::default(),
        };
        for table in ["idempotency_keys", "idempotency_hashes"] {
            keys.read_periods(connection, table)?;
        }
        let sql = "SELECT order_seq, scope, key FROM idempotency_keys WHERE period = ? AND order_seq > ?";
        let mut statement = connection.prepare(sql)?;
        for period in &keys.periods {
            let mut rows = statement.query([*period, flushed])?;
            while let Some(row) = rows.next()? {
                let order = row.get(0)?;
                let hash = hash_of(row.get_ref(1)?.as_bytes()?, row.get_ref(2)?.as_bytes()?);
                keys.gathered.insert(Place { period: *period, hash, order });
                keys.last_order = keys.last_order.max(order);
            }
        }
        keys.committed();
        if let Err(error) = keys.move_all(connection) {
            tracing::warn!(%error, "idempotency keys could not be moved to the disk, and stay in memory");
            keys.rolled_back();
        }
        Ok(keys)
    }

    /// Moves at once what a start finds too many of: lives too short to move them would leave more and more behind.
    fn move_all(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        while !self.moving.is_empty() {
            let transaction = connection.unchecked_transaction()?;
            self.move_some(connection, AT_START)?;
            transaction.commit()?;
            self.committed();
        }
        Ok(())
    }

    /// One look-up a period, however many rows it has.
    fn read_periods(&mut self, connection: &Connection, table: &str) -> rusqlite::Result<()> {
        let sql = format!("SELECT min(period) FROM {table} WHERE period > ?");
        let mut next = connection.prepare(&sql)?;
        let mut last = i64::MIN;
        while let Some(period) = next.query_row([last], |row| row.get(0))? {
            self.periods.insert(period);
            last = period;
        }
        Ok(())
    }

    /// The last order that has a key, or had one: its place must not be given to another.
    pub(crate) fn last_order(&self) -> i64 {
        self.last_order
    }

    /// The places at which a key of this hash may live at `now`, newest first.
    pub(super) fn candidates(
        &self,
        connection: &Connection,
        hash: i64,
        now: i64,
    ) -> rusqlite::Result<Vec<Place>> {
        let mut found = Vec::new();
        for period in self.periods.range((Excluded(now.div_euclid(HOUR)), Unbounded)).copied() {
            let place = |order| Place { period, hash, order };
            let range = place(i64::MIN)..=place(i64::MAX);
            found.extend(self.gathered.range(range.clone()).chain(self.moving.range(range)));
            if self.has_index {
                let sql = "SELECT order_seq FROM idempotency_hashes WHERE period = ? AND hash = ?";
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query([period, hash])?;
                while let Some(row) = rows.next()? {
                    found.push(place(row.get(0)?));
                }
            }
        }
        found.sort_unstable_by_key(|place| std::cmp::Reverse(place.order));
        Ok(found)
    }

    /// Remembers a key that was stored in the open transaction, at `now`.
    pub(super) fn remember(&mut self, place: Place, now: i64) {
        self.gathered.insert(place);
        self.periods.insert(place.period);
        self.last_order = place.order;
        self.open.added.push(place);
        self.open.now = now;
    }

    /// Whether there is something to move or to clear away.
    pub(crate) fn want_upkeep(&self, now: i64) -> bool {
        !self.moving.is_empty() || self.over(now).is_some()
    }

    /// Does in the open transaction what is due after the orders that came with keys: a piece of bounded size.
    pub(super) fn upkeep(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.open.added.is_empty() || self.credit < LEAST_PIECE.min(self.gathered_at_most) {
            return Ok(());
        }
        self.maintain(connection, self.open.now, self.credit)
    }

    /// Moves up to so many rows into the index, and clears as many away of a period that is over at `now`.
    pub(super) fn maintain(
        &mut self,
        connection: &Connection,
        now: i64,
        rows: usize,
    ) -> rusqlite::Result<()> {
        self.open.spent = rows;
        self.move_some(connection, rows)?;
        self.clear_some(connection, now, rows)
    }

    fn move_some(&mut self, connection: &Connection, rows: usize) -> rusqlite::Result<()> {
        // One that a process which died moved before the marker was set is there.
        let sql = "INSERT OR IGNORE INTO idempotency_hashes (period, hash, order_seq) VALUES (?, ?, ?)";
        let mut insert = connection.prepare_cached(sql)?;
        for Place { period, hash, order } in self.moving.iter().take(rows) {
            insert.execute([*period, *hash, *order])?;
            self.open.moved += 1;
        }
        if self.open.moved > 0 && self.open.moved == self.moving.len() {
            let sql = "INSERT OR REPLACE INTO idempotency (one, flushed_through) VALUES (1, ?)";
            connection.prepare_cached(sql)?.execute([self.moving_through])?;
        }
        Ok(())
    }

    fn clear_some(&mut self, connection: &Connection, now: i64, rows: usize) -> rusqlite::Result<()> {
        let Some(period) = self.over(now) else { return Ok(()) };
        let hashes = clear(connection, ("idempotency_hashes", "hash"), period, rows)?;
        let keys = clear(connection, ("idempotency_keys", "order_seq"), period, rows)?;
        self.open.emptied = (hashes && keys).then_some(period);
        Ok(())
    }

    /// The first period whose keys are all over.
    fn over(&self, now: i64) -> Option<i64> {
        self.periods.first().copied().filter(|period| *period <= now.div_euclid(HOUR))
    }

    /// What was done since the last commit is on disk.
    pub(crate) fn committed(&mut self) {
        let Open { added, moved, emptied, spent, .. } = std::mem::take(&mut self.open);
        self.credit = (self.credit + ROWS_A_KEY * added.len()).saturating_sub(spent);
        for _ in 0..moved {
            self.moving.pop_first();
        }
        self.has_index |= moved > 0;
        if let Some(period) = emptied {
            let later = Place { period: period + 1, hash: i64::MIN, order: i64::MIN };
            self.gathered = self.gathered.split_off(&later);
            self.moving = self.moving.split_off(&later);
            self.periods.remove(&period);
        }
        if self.moving.is_empty() && self.gathered.len() >= self.gathered_at_most {
            self.moving = std::mem::take(&mut self.gathered);
            self.moving_through = self.moving.iter().map(|place| place.order).max().unwrap_or_default();
        }
    }

    /// What was done since the last commit was rolled back.
    pub(crate) fn rolled_back(&mut self) {
        for place in std::mem::take(&mut self.open).added {
            self.gathered.remove(&place);
        }
    }

    /// How many keys are in memory.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.gathered.len() + self.moving.len()
    }
}

/// Deletes about so many rows from a period's beginning; answers whether that was all of it.
fn clear(
    connection: &Connection,
    (table, column): (&str, &str),
    period: i64,
    rows: usize,
) -> rusqlite::Result<bool> {
    let sql = format!("SELECT {column} FROM {table} WHERE period = ? ORDER BY {column} LIMIT 1 OFFSET ?");
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let rest: Option<i64> =
        connection.prepare_cached(&sql)?.query_row([period, rows], |row| row.get(0)).optional()?;
    let sql = format!("DELETE FROM {table} WHERE period = ? AND {column} <= ?");
    connection.prepare_cached(&sql)?.execute([period, rest.unwrap_or(i64::MAX)])?;
    Ok(rest.is_none())
}

#[cfg(test)]
mod tests;
