//! What readers do with rows that they cannot read.

use application::Error;
use rusqlite::{Connection, params};

use crate::Store;
use crate::apply::set_aside;
use crate::failure::unreadable as unread;
use crate::unreadable::Unreadable;
use crate::write::Transaction;

impl Store {
    /// Sets aside rows that were met on the way, before anything goes on around them.
    pub(crate) async fn set_aside_rows(&self, rows: Vec<Unreadable>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let (weight, now) = (rows.len(), self.options.clock.now());
        let set_aside = move |transaction: &mut Transaction<'_>| {
            transaction.effects.deliveries = true;
            set_aside(transaction.connection, &rows, now)
        };
        self.write(weight, set_aside).await
    }

    /// As [`set_aside_rows`](Self::set_aside_rows), for one who only wants to see: that it fails is not their trouble.
    pub(super) async fn note_unreadable(&self, rows: Vec<Unreadable>) {
        if let Err(error) = self.set_aside_rows(rows).await {
            tracing::warn!(%error, cause = error.cause(), "rows that cannot be read could not be set aside");
        }
    }
}

/// Those that are not set aside yet: whoever sees the others again has nothing to write.
pub(super) fn new_ones(connection: &Connection, rows: Vec<Unreadable>) -> Result<Vec<Unreadable>, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM set_aside WHERE of_table = ? AND row = ?)";
    let mut new = Vec::new();
    for row in rows {
        let mut known = connection.prepare_cached(sql).map_err(unread)?;
        if !known
            .query_row(params![row.table.name(), row.row], |row| row.get::<_, bool>(0))
            .map_err(unread)?
        {
            new.push(row);
        }
    }
    Ok(new)
}
