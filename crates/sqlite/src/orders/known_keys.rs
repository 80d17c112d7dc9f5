//! Where idempotency keys are found: the newest in memory, the others in an index on disk.
//!
//! An index on keys that clients choose at random dirties a page for nearly every order. So the hashes of new keys gather
//! in memory until there are as many as memory may hold; then they are flushed into the index in the index's own order, a
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
use periods::{HOUR, PeriodRange, PeriodRanges};

/// The fewest rows that maintenance begins with: a commit with a single order seldom pays for it.
const MIN_MAINTENANCE_ROWS: usize = 256;
/// How many rows maintenance may touch in each table for each hash of a key that was accepted: it moves them in and
/// clears them away twice as fast as they come.
const MAINTENANCE_ROWS_PER_KEY: usize = 2;
/// How many are flushed in one commit at the start.
const ROWS_PER_COMMIT_AT_START: usize = 10_000;
/// How many periods have a filter: as many as are alive while no clock jumps.
const MAX_FILTERS: usize = 2;

/// Where a key stands; in the order of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyEntry {
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
    /// So many hashes gather before they are flushed.
    max_buffered: usize,
    /// In no index yet.
    buffered: HashTable<KeyEntry>,
    /// On their way into the index, the first at the end; all their orders come before those of the buffered.
    flushing: Vec<KeyEntry>,
    /// The last order of those, or of the last that were flushed.
    flushing_through: i64,
    /// By period, what may be in the index or flushing there.
    indexed: BTreeMap<i64, Indexed>,
    /// The last order that was stored under a key, be it rolled back since.
    last_order: i64,
    /// Which orders' keys are of which period.
    ranges: PeriodRanges,
    /// How many rows maintenance may touch.
    credit: usize,
    open: OpenTransaction,
}

/// What the open transaction did.
#[derive(Debug, Default)]
struct OpenTransaction {
    added: Vec<KeyEntry>,
    now: i64,
    flushed: usize,
    emptied: Option<PeriodRange>,
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

/// The hash of an entry for the table in memory: its own, which is random already.
fn identity_hash(entry: &KeyEntry) -> u64 {
    entry.hash.cast_unsigned()
}

impl KnownKeys {
    /// Reads the keys that are not in the index yet, and which periods there are. `max_buffered` bounds the hashes in
    /// memory: there are never more than one and a half times as many, beside those of one commit.
    pub(crate) fn read(connection: &Connection, max_buffered: usize) -> rusqlite::Result<Self> {
        let marker = "SELECT flushed_through FROM idempotency";
        let flushed: i64 = connection.query_row(marker, (), |row| row.get(0)).optional()?.unwrap_or(0);
        let mut keys = Self {
            max_buffered,
            buffered: HashTable::new(),
            flushing: Vec::new(),
            flushing_through: flushed,
            indexed: BTreeMap::new(),
            last_order: flushed,
            ranges: PeriodRanges::read(connection)?,
            credit: 0,
            open: OpenTransaction::default(),
        };
        keys.find_indexed(connection)?;
        keys.read_buffer(connection, flushed)?;
        keys.committed();
        if let Err(error) = keys.flush_all(connection) {
            tracing::warn!(%error, "idempotency keys could not be flushed to the disk, and stay in memory");
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
        (taken < MAX_FILTERS).then(Filter::new)
    }

    fn read_buffer(&mut self, connection: &Connection, flushed: i64) -> rusqlite::Result<()> {
        let sql = "SELECT order_seq, scope, key, fingerprint, client_digest FROM idempotency_keys \
                   WHERE order_seq > ? ORDER BY order_seq";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([flushed])?;
        while let Some(row) = rows.next()? {
            let order = row.get(0)?;
            let hashes = read_hashes(row)?;
            self.last_order = order;
            if let Some(period) = self.ranges.period(order) {
                for hash in hashes.into_iter().flatten() {
                    let entry = KeyEntry { period, hash, order };
                    self.buffered.insert_unique(identity_hash(&entry), entry, identity_hash);
                }
            }
        }
        Ok(())
    }

    /// Moves at once what a start finds too many of: lives too short to move them would leave more and more behind.
    fn flush_all(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        while !self.flushing.is_empty() {
            let transaction = connection.unchecked_transaction()?;
            self.flush_some(connection, ROWS_PER_COMMIT_AT_START)?;
            transaction.commit()?;
            self.committed();
        }
        Ok(())
    }

    /// The last order that has a key, or had one: its place must not be given to another.
    pub(crate) fn last_order(&self) -> i64 {
        self.last_order
    }

    /// The entries at which a key of this hash may live at `now`, newest first.
    pub(crate) fn candidates(
        &self,
        connection: &Connection,
        hash: i64,
        now: i64,
    ) -> rusqlite::Result<Vec<KeyEntry>> {
        let hour = now.div_euclid(HOUR);
        let same_hash = self.buffered.iter_hash(hash.cast_unsigned());
        let live = same_hash.filter(|entry| entry.hash == hash && entry.period > hour);
        let mut found: Vec<_> = live.copied().collect();
        for (period, indexed) in self.indexed.range((Excluded(hour), Unbounded)) {
            if indexed.may_hold(hash) {
                self.find_flushed(connection, *period, hash, &mut found)?;
            }
        }
        found.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.order));
        Ok(found)
    }

    /// Finds what is in the index or on its way there.
    fn find_flushed(
        &self,
        connection: &Connection,
        period: i64,
        hash: i64,
        found: &mut Vec<KeyEntry>,
    ) -> rusqlite::Result<()> {
        let wanted = (period, hash);
        let after = self.flushing.partition_point(|entry| (entry.period, entry.hash) > wanted);
        let flushing = self.flushing.iter().skip(after);
        found.extend(flushing.take_while(|entry| (entry.period, entry.hash) == wanted));
        let sql = "SELECT order_seq FROM idempotency_hashes WHERE period = ? AND hash = ?";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([period, hash])?;
        while let Some(row) = rows.next()? {
            found.push(KeyEntry { period, hash, order: row.get(0)? });
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
        self.ranges.next(connection, order, ends_at, lifetime)
    }

    /// Remembers a key that was stored in the open transaction, at `now`.
    pub(crate) fn remember(&mut self, entry: KeyEntry, now: i64) {
        self.buffered.insert_unique(identity_hash(&entry), entry, identity_hash);
        self.last_order = entry.order;
        self.open.added.push(entry);
        self.open.now = now;
    }

    /// Whether there is something to move, to clear away or to read.
    pub(crate) fn needs_maintenance(&self, now: i64) -> bool {
        !self.flushing.is_empty()
            || self.ranges.over(now).is_some()
            || self.indexed.values().any(Indexed::wants_reading)
    }

    /// Does in the open transaction what is due after the orders that came with keys: a piece of bounded size.
    pub(crate) fn maintain_if_due(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.open.added.is_empty() || self.credit < MIN_MAINTENANCE_ROWS.min(self.max_buffered) {
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
        self.flush_some(connection, rows)?;
        self.expire_some(connection, now, rows)?;
        match self.indexed.iter_mut().rev().find(|(_, indexed)| indexed.wants_reading()) {
            Some((period, indexed)) => indexed.read_some(connection, *period, rows),
            None => Ok(()),
        }
    }

    fn flush_some(&mut self, connection: &Connection, rows: usize) -> rusqlite::Result<()> {
        // A process that died before it set the marker may have flushed it already.
        let sql = "INSERT OR IGNORE INTO idempotency_hashes (period, hash, order_seq) VALUES (?, ?, ?)";
        let mut insert = connection.prepare_cached(sql)?;
        for KeyEntry { period, hash, order } in self.flushing.iter().rev().take(rows) {
            insert.execute([*period, *hash, *order])?;
            self.open.flushed += 1;
        }
        if self.open.flushed > 0 && self.open.flushed == self.flushing.len() {
            let sql = "INSERT OR REPLACE INTO idempotency (one, flushed_through) VALUES (1, ?)";
            connection.prepare_cached(sql)?.execute([self.flushing_through])?;
        }
        Ok(())
    }

    fn expire_some(&mut self, connection: &Connection, now: i64, rows: usize) -> rusqlite::Result<()> {
        let Some((range, last_order)) = self.ranges.over(now) else { return Ok(()) };
        let hashes = clear_hashes(connection, range.period, rows)?;
        let keys = clear_keys(connection, range.first_order, last_order, rows)?;
        if hashes && keys {
            let sql = "DELETE FROM idempotency_periods WHERE first_order = ?";
            connection.prepare_cached(sql)?.execute([range.first_order])?;
            self.open.emptied = Some(range);
        }
        Ok(())
    }

    /// What was done since the last commit is on disk.
    pub(crate) fn committed(&mut self) {
        let OpenTransaction { added, flushed, emptied, rows_used, .. } = std::mem::take(&mut self.open);
        self.credit = (self.credit + MAINTENANCE_ROWS_PER_KEY * added.len()).saturating_sub(rows_used);
        self.flushing.truncate(self.flushing.len() - flushed);
        self.ranges.committed();
        if let Some(range) = emptied {
            self.ranges.remove(range);
            self.buffered.retain(|entry| entry.period != range.period);
            self.flushing.retain(|entry| entry.period != range.period);
            self.indexed.remove(&range.period);
        }
        if self.flushing.is_empty() && self.buffered.len() >= self.max_buffered {
            self.begin_flush();
        }
    }

    fn begin_flush(&mut self) {
        self.flushing = self.buffered.drain().collect();
        self.flushing.sort_unstable_by(|one, other| other.cmp(one));
        self.flushing_through = self.flushing.iter().map(|entry| entry.order).max().unwrap_or_default();
        for entry in &self.flushing {
            if !self.indexed.contains_key(&entry.period) {
                let filter = self.next_filter();
                self.indexed.insert(entry.period, Indexed::empty(filter));
            }
            if let Some(indexed) = self.indexed.get_mut(&entry.period) {
                indexed.insert(entry.hash);
            }
        }
    }

    /// What was done since the last commit was rolled back.
    pub(crate) fn rolled_back(&mut self) {
        self.ranges.rolled_back();
        for added in std::mem::take(&mut self.open).added {
            if let Ok(entry) = self.buffered.find_entry(identity_hash(&added), |entry| *entry == added) {
                entry.remove();
            }
        }
    }

    /// How many hashes are in memory.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.buffered.len() + self.flushing.len()
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
