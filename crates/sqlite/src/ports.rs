//! The application's ports, one a file: what they write is done by the writer, what they read is read here.

mod at_a_glance;
mod delivery_pages;
mod delivery_queue;
mod delivery_records;
mod due;
mod inbox;
mod order_log;
mod order_store;
mod own_subscriptions;
mod reexamine;
mod set_aside;
mod spam_marks;
mod story;
mod tally;
mod topic;

pub(crate) use topic::Candidates;

use rusqlite::{CachedStatement, Params, Row};

use crate::unreadable::{Read, Unreadable};

/// Every row of a query.
pub(crate) fn all<T>(
    mut statement: CachedStatement<'_>,
    parameters: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    statement.query_map(parameters, read)?.collect()
}

/// Every row of a query that can be read, and beside them those that cannot.
fn sift<T>(
    statement: CachedStatement<'_>,
    parameters: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<Read<T>>,
) -> rusqlite::Result<(Vec<T>, Vec<Unreadable>)> {
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for row in all(statement, parameters, read)? {
        match row {
            Ok(row) => readable.push(row),
            Err(row) => unreadable.push(row),
        }
    }
    Ok((readable, unreadable))
}
