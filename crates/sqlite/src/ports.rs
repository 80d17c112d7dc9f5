//! The application's ports, one a file: what they write goes to the writer as commands, what they read is read here.

mod delivery_queue;
mod delivery_records;
mod due;
mod inbox;
mod order_log;
mod order_store;
mod own_topic;
mod story;
mod tally;
mod topic;

use rusqlite::{CachedStatement, Params, Row};

/// Every row of a query.
fn all<T>(
    mut statement: CachedStatement<'_>,
    parameters: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    statement.query_map(parameters, read)?.collect()
}
