//! Where idempotency keys are found: the newest in memory, the others in an index on disk.
//!
//! An index on keys that clients choose at random dirties a page for nearly every order. So the hashes of new keys gather
//! in memory until there are as many as memory may hold; then they are moved into the index in the index's own order, a
//! piece with each commit, while new ones gather behind them. What is in neither place is on disk with its order and
//! behind the marker `flushed_through`: a start reads those anew, and no others. Filters of fixed size tell nearly always
//! that a new key is not in the index.
//!
//! Every hit is checked against the key's own row, so that no collision, and no key that is over, answers for another.

mod filter;
mod indexed;
mod periods;

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use hashbrown::HashTable;
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use filter::Filter;
use indexed::Indexed;
use periods::{HOUR, Run, Runs};

/// The upkeep waits until so many rows may be touched: a commit with a single order seldom pays for it.
const LEAST_PIECE: usize = 256;
/// How many rows the upkeep may touch in each table for each hash of a key that was accepted: it moves them in and clears
/// them away twice as fast as they come.
const ROWS_A_KEY: usize = 2;
/// How many are moved in one commit at the start.
const AT_START: usize = 10_000;
/// How many periods have a filter: as many as are alive while no clock jumps.
const FILTERS: usize = 2;

/// Where a key stands; in the order of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The hour since 1970 at whose beginning all keys of the period are over.
    pub(crate) period: i64,
    /// Of the key and whose it is, or with what it was sent.
    pub(crate) hash: i64,
    /// The `seq` of the order that was stored under it.
    pub(crate) order: i64,
}

/// What is known of keys in memory.
#[derive(Debug)]
pub(crate) struct KnownKeys {
    /// So many hashes gather before they are moved.
    gathered_at_most: usize,
    /// In no index yet.
    gathered: HashTable<Place>,
    /// On their way into the index, the first at the end; all their orders come before those of the gathered.
    moving: Vec<Place>,
    /// The last order of those, or of the last that were moved.
    moving_through: i64,
    /// By period, what may be in the index or moving there.
    indexed: BTreeMap<i64, Indexed>,
    /// The last order that was stored under a key, be it rolled back since.
    last_order: i64,
    /// Which orders' keys are of which period.
    runs: Runs,
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
    emptied: Option<Run>,
    rows_used: usize,
}

/// What a key is looked up by.
pub(crate) type Hashes = [Option<i64>; 2];

/// A caller who is known finds a key by itself. An anonymous one finds it with the order, to tell a retry from
/// anywhere, and with where it comes from, to tell another order from there: so a look-up costs the same however many
/// use one key.
pub(crate) fn hashes(scope: &[u8], key: &[u8], fingerprint: &[u8], client_digest: Option<&[u8]>) -> Hashes {
    match client_digest {
        None => [Some(hash(&[scope, key])), None],
        Some(client_digest) => {
            [Some(hash(&[scope, key, fingerprint])), Some(hash(&[scope, key, client_digest]))]
        }
    }
}

/// The first 64 bits of a SHA-256, for which nobody finds many keys that collide.
fn hash(parts: &[&[u8]]) -> i64 {
    // A scope and a key hold no control characters, a fingerprint and an client_digest differ in length: where each
    // ends is certain.
    let digest =
        parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update([0])).finalize();
    digest.first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
}

/// A hash is random: it places itself in a table.
fn spread(place: &Place) -> u64 {
    place.hash.cast_unsigned()
}

impl KnownKeys {
    /// Reads the keys that are not in the index yet, and which periods there are. `gathered_at_most` bounds the hashes in
    /// memory: there are never more than one and a half times as many, beside those of one commit.
    pub(crate) fn read(connection: &Connection, gathered_at_most: usize) -> rusqlite::Result<Self> {
        let marker = "SELECT flushed_through FROM idempotency";
        let flushed: i64 = connection.query_row(marker, (), |row| row.get(0)).optional()?.unwrap_or(0);
        let mut keys = Self {
            gathered_at_most,
            gathered: HashTable::new(),
            moving: Vec::new(),
            moving_through: flushed,
            indexed: BTreeMap::new(),
            last_order: flushed,
            runs: Runs::read(connection)?,
            credit: 0,
            open: Open::default(),
        };
        keys.find_indexed(connection)?;
        keys.gather(connection, flushed)?;
        keys.committed();
        if let Err(error) = keys.move_all(connection) {
            tracing::warn!(%error, "idempotency keys could not be moved to the disk, and stay in memory");
            keys.rolled_back();
        }
        Ok(keys)
    }

    /// One look-up a period, however many rows it has; the latest periods have filters.
    fn find_indexed(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut next = connection.prepare("SELECT max(period) FROM idempotency_hashes WHERE period < ?")?;
        let mut last = i64::MAX;
        while let Some(period) = next.query_row([last], |row| row.get(0))? {
            let filter = self.next_filter();
            self.indexed.insert(period, Indexed::unread(filter));
            last = period;
        }
        Ok(())
    }

    fn next_filter(&self) -> Option<Filter> {
        let taken = self.indexed.values().filter(|indexed| indexed.has_filter()).count();
        (taken < FILTERS).then(Filter::new)
    }

    fn gather(&mut self, connection: &Connection, flushed: i64) -> rusqlite::Result<()> {
        let sql = "SELECT order_seq, scope, key, fingerprint, client_digest FROM idempotency_keys \
                   WHERE order_seq > ? ORDER BY order_seq";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([flushed])?;
        while let Some(row) = rows.next()? {
            let order = row.get(0)?;
            let hashes = read_hashes(row)?;
            self.last_order = order;
            if let Some(period) = self.runs.period(order) {
                for hash in hashes.into_iter().flatten() {
                    let place = Place { period, hash, order };
                    self.gathered.insert_unique(spread(&place), place, spread);
                }
            }
        }
        Ok(())
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

    /// The last order that has a key, or had one: its place must not be given to another.
    pub(crate) fn last_order(&self) -> i64 {
        self.last_order
    }

    /// The places at which a key of this hash may live at `now`, newest first.
    pub(crate) fn candidates(
        &self,
        connection: &Connection,
        hash: i64,
        now: i64,
    ) -> rusqlite::Result<Vec<Place>> {
        let hour = now.div_euclid(HOUR);
        let same_hash = self.gathered.iter_hash(hash.cast_unsigned());
        let live = same_hash.filter(|place| place.hash == hash && place.period > hour);
        let mut found: Vec<_> = live.copied().collect();
        for (period, indexed) in self.indexed.range((Excluded(hour), Unbounded)) {
            if indexed.may_hold(hash) {
                self.find_moved(connection, *period, hash, &mut found)?;
            }
        }
        found.sort_unstable_by_key(|place| std::cmp::Reverse(place.order));
        Ok(found)
    }

    /// Finds what is in the index or on its way there.
    fn find_moved(
        &self,
        connection: &Connection,
        period: i64,
        hash: i64,
        found: &mut Vec<Place>,
    ) -> rusqlite::Result<()> {
        let wanted = (period, hash);
        let after = self.moving.partition_point(|place| (place.period, place.hash) > wanted);
        let moving = self.moving.iter().skip(after);
        found.extend(moving.take_while(|place| (place.period, place.hash) == wanted));
        let sql = "SELECT order_seq FROM idempotency_hashes WHERE period = ? AND hash = ?";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([period, hash])?;
        while let Some(row) = rows.next()? {
            found.push(Place { period, hash, order: row.get(0)? });
        }
        Ok(())
    }

    /// The period of a key of the next order.
    pub(crate) fn period(
        &mut self,
        connection: &Connection,
        order: i64,
        ends_at: i64,
        lifetime: i64,
    ) -> rusqlite::Result<i64> {
        self.runs.next(connection, order, ends_at, lifetime)
    }

    /// Remembers a key that was stored in the open transaction, at `now`.
    pub(crate) fn remember(&mut self, place: Place, now: i64) {
        self.gathered.insert_unique(spread(&place), place, spread);
        self.last_order = place.order;
        self.open.added.push(place);
        self.open.now = now;
    }

    /// Whether there is something to move, to clear away or to read.
    pub(crate) fn want_upkeep(&self, now: i64) -> bool {
        !self.moving.is_empty()
            || self.runs.over(now).is_some()
            || self.indexed.values().any(Indexed::wants_reading)
    }

    /// Does in the open transaction what is due after the orders that came with keys: a piece of bounded size.
    pub(crate) fn upkeep(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.open.added.is_empty() || self.credit < LEAST_PIECE.min(self.gathered_at_most) {
            return Ok(());
        }
        self.maintain(connection, self.open.now, self.credit)
    }

    /// Moves up to so many rows into the index, clears as many away of a period that is over at `now`, and reads as many
    /// into a filter that does not know its index yet.
    pub(crate) fn maintain(
        &mut self,
        connection: &Connection,
        now: i64,
        rows: usize,
    ) -> rusqlite::Result<()> {
        self.open.rows_used = rows;
        self.move_some(connection, rows)?;
        self.clear_some(connection, now, rows)?;
        match self.indexed.iter_mut().rev().find(|(_, indexed)| indexed.wants_reading()) {
            Some((period, indexed)) => indexed.read_some(connection, *period, rows),
            None => Ok(()),
        }
    }

    fn move_some(&mut self, connection: &Connection, rows: usize) -> rusqlite::Result<()> {
        // One that a process which died moved before the marker was set is there.
        let sql = "INSERT OR IGNORE INTO idempotency_hashes (period, hash, order_seq) VALUES (?, ?, ?)";
        let mut insert = connection.prepare_cached(sql)?;
        for Place { period, hash, order } in self.moving.iter().rev().take(rows) {
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
        let Some((run, last_order)) = self.runs.over(now) else { return Ok(()) };
        let hashes = clear_hashes(connection, run.period, rows)?;
        let keys = clear_keys(connection, run.first_order, last_order, rows)?;
        if hashes && keys {
            let sql = "DELETE FROM idempotency_periods WHERE first_order = ?";
            connection.prepare_cached(sql)?.execute([run.first_order])?;
            self.open.emptied = Some(run);
        }
        Ok(())
    }

    /// What was done since the last commit is on disk.
    pub(crate) fn committed(&mut self) {
        let Open { added, moved, emptied, rows_used, .. } = std::mem::take(&mut self.open);
        self.credit = (self.credit + ROWS_A_KEY * added.len()).saturating_sub(rows_used);
        self.moving.truncate(self.moving.len() - moved);
        self.runs.committed();
        if let Some(run) = emptied {
            self.runs.remove(run);
            self.gathered.retain(|place| place.period != run.period);
            self.moving.retain(|place| place.period != run.period);
            self.indexed.remove(&run.period);
        }
        if self.moving.is_empty() && self.gathered.len() >= self.gathered_at_most {
            self.begin_moving();
        }
    }

    fn begin_moving(&mut self) {
        self.moving = self.gathered.drain().collect();
        self.moving.sort_unstable_by(|one, other| other.cmp(one));
        self.moving_through = self.moving.iter().map(|place| place.order).max().unwrap_or_default();
        for place in &self.moving {
            if !self.indexed.contains_key(&place.period) {
                let filter = self.next_filter();
                self.indexed.insert(place.period, Indexed::empty(filter));
            }
            if let Some(indexed) = self.indexed.get_mut(&place.period) {
                indexed.insert(place.hash);
            }
        }
    }

    /// What was done since the last commit was rolled back.
    pub(crate) fn rolled_back(&mut self) {
        self.runs.rolled_back();
        for added in std::mem::take(&mut self.open).added {
            if let Ok(entry) = self.gathered.find_entry(spread(&added), |place| *place == added) {
                entry.remove();
            }
        }
    }

    /// How many hashes are in memory.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.gathered.len() + self.moving.len()
    }
}

/// The hashes of a row of `idempotency_keys`.
pub(crate) fn read_hashes(row: &rusqlite::Row<'_>) -> rusqlite::Result<Hashes> {
    let (scope, key) = (row.get_ref("scope")?.as_bytes()?, row.get_ref("key")?.as_bytes()?);
    let client_digest = row.get_ref("client_digest")?.as_blob_or_null()?;
    Ok(hashes(scope, key, row.get_ref("fingerprint")?.as_bytes()?, client_digest))
}

/// Deletes about so many hashes from a period's beginning; answers whether those were all.
fn clear_hashes(connection: &Connection, period: i64, rows: usize) -> rusqlite::Result<bool> {
    let sql = "SELECT hash FROM idempotency_hashes WHERE period = ? ORDER BY hash LIMIT 1 OFFSET ?";
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let rest: Option<i64> =
        connection.prepare_cached(sql)?.query_row([period, rows], |row| row.get(0)).optional()?;
    let sql = "DELETE FROM idempotency_hashes WHERE period = ? AND hash <= ?";
    connection.prepare_cached(sql)?.execute([period, rest.unwrap_or(i64::MAX)])?;
    Ok(rest.is_none())
}

/// Deletes about so many keys of the orders from one to another; answers whether those were all.
fn clear_keys(connection: &Connection, first: i64, last: i64, rows: usize) -> rusqlite::Result<bool> {
    let sql = "SELECT order_seq FROM idempotency_keys WHERE order_seq BETWEEN ? AND ? ORDER BY order_seq \
               LIMIT 1 OFFSET ?";
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let rest: Option<i64> =
        connection.prepare_cached(sql)?.query_row([first, last, rows], |row| row.get(0)).optional()?;
    let sql = "DELETE FROM idempotency_keys WHERE order_seq BETWEEN ? AND ?";
    connection.prepare_cached(sql)?.execute([first, rest.unwrap_or(last)])?;
    Ok(rest.is_none())
}

#[cfg(test)]
mod tests;
