//! Pages of lists, most of which run from the highest `seq` down; a cursor is the last `seq` of the page before.

use application::ports::{Page, PageRequest};
use application::{Error, ErrorKind};
use rusqlite::Row;

use crate::columns;
use crate::unreadable::{Read, Unreadable};

/// A cursor that no page of the list gave.
pub(crate) fn invalid_cursor() -> Error {
    Error::new(ErrorKind::Invalid, "invalid_cursor", "cursor is not one of this list")
}

/// A row of a list.
pub(crate) struct Listed<T> {
    pub(crate) seq: i64,
    /// The id of what it is, where that can be read.
    pub(crate) id: Option<String>,
    pub(crate) read: Read<T>,
}

impl<T> Listed<T> {
    /// What is read of a row, whose id stands in that column.
    pub(crate) fn of(seq: i64, row: &Row<'_>, id: &str, read: Read<T>) -> Self {
        Self { seq, id: columns::uuid(row, id).ok().map(|id| id.to_string()), read }
    }
}

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
        let before = before.map_err(|_| invalid_cursor())?;
        Ok(Self { before, limit: page.limit.clamp(1, PageRequest::MAX) })
    }

    /// How many rows to read: one more than the page holds tells whether there is a next one.
    pub(crate) fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// Makes a page of rows, and tells those of them that cannot be read.
    pub(crate) fn page<T>(&self, mut rows: Vec<Listed<T>>) -> (Page<T>, Vec<Unreadable>) {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| more).map(|row| row.seq.to_string());
        let mut page = Page { items: Vec::new(), unreadable: Vec::new(), next };
        let mut unreadable = Vec::new();
        for row in rows {
            match row.read {
                Ok(item) => page.items.push(item),
                Err(row_of) => {
                    page.unreadable.push(row_of.listed(row.id));
                    unreadable.push(row_of);
                }
            }
        }
        (page, unreadable)
    }
}
