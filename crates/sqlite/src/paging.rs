//! Pages of lists that run from the highest `seq` down; a cursor is the last `seq` of the page before.

use application::ports::{Page, PageRequest};
use application::{Error, ErrorKind};

/// The part of a list that a page covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// Only rows below this `seq`.
    pub(crate) before: i64,
    limit: usize,
}

impl Window {
    /// What `page` asks for.
    pub(crate) fn of(page: &PageRequest) -> Result<Self, Error> {
        let before = page.cursor.as_deref().map_or(Ok(i64::MAX), str::parse);
        let invalid = |_| Error::new(ErrorKind::Invalid, "invalid_cursor", "cursor is not one of this list");
        let before = before.map_err(invalid)?;
        Ok(Self { before, limit: page.limit.clamp(1, PageRequest::MAX) })
    }

    /// How many rows to read: one more than the page holds tells whether there is a next one.
    pub(crate) fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// Makes a page of rows, each with its `seq`.
    pub(crate) fn page<T>(&self, mut rows: Vec<(i64, T)>) -> Page<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| more).map(|(seq, _)| seq.to_string());
        Page { items: rows.into_iter().map(|(_, item)| item).collect(), next }
    }
}
