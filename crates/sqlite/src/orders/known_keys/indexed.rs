//! Which keys of a period may be in the index on disk, or on their way there: most look-ups need not go there.

use rusqlite::Connection;

use super::filter::Filter;

/// What is known of the index of one period.
#[derive(Debug)]
pub(super) struct Indexed {
    /// None where there are more periods than filters: then a key may always be there.
    filter: Option<Filter>,
    /// From this hash on, what was there at the start was not read yet.
    unread: Option<i64>,
}

impl Indexed {
    /// There is nothing in the index yet.
    pub(super) fn empty(filter: Option<Filter>) -> Self {
        Self { filter, unread: None }
    }

    /// There is something in the index, and it was not read.
    pub(super) fn unread(filter: Option<Filter>) -> Self {
        Self { filter, unread: Some(i64::MIN) }
    }

    pub(super) fn has_filter(&self) -> bool {
        self.filter.is_some()
    }

    pub(super) fn insert(&mut self, hash: i64) {
        if let Some(filter) = &mut self.filter {
            filter.insert(hash);
        }
    }

    pub(super) fn may_hold(&self, hash: i64) -> bool {
        self.unread.is_some_and(|unread| hash >= unread)
            || self.filter.as_ref().is_none_or(|filter| filter.may_hold(hash))
    }

    /// Whether reading the index would spare look-ups.
    pub(super) fn wants_reading(&self) -> bool {
        self.unread.is_some() && self.has_filter()
    }

    /// Reads so many rows of the index into the filter.
    pub(super) fn read_some(
        &mut self,
        connection: &Connection,
        period: i64,
        rows: usize,
    ) -> rusqlite::Result<()> {
        let (Some(unread), Some(filter)) = (self.unread, &mut self.filter) else { return Ok(()) };
        let sql = "SELECT hash FROM idempotency_hashes WHERE period = ? AND hash >= ? ORDER BY hash LIMIT ?";
        let mut statement = connection.prepare_cached(sql)?;
        let limit = i64::try_from(rows).unwrap_or(i64::MAX);
        let mut found = statement.query([period, unread, limit])?;
        let (mut count, mut last) = (0, unread);
        while let Some(row) = found.next()? {
            last = row.get(0)?;
            filter.insert(last);
            count += 1;
        }
        self.unread = if count < rows { None } else { last.checked_add(1) };
        Ok(())
    }
}
