//! From rows to what they mean.

mod channel;
mod delivery;
mod examine;
mod order;
mod subscription;

pub(crate) use channel::{MESSAGE_COLUMNS, PAUSE_COLUMNS, message, pause};
pub(crate) use delivery::{
    ATTEMPT_COLUMNS, DELIVERY_COLUMNS, DELIVERY_JOINS, INTERVENTION_COLUMNS, RECEIPT_COLUMNS, attempt,
    cancel_reason, delivery, delivery_state, intervention, kind, notice, receipt,
};
pub(crate) use examine::examine;
pub(crate) use order::{ORDER_COLUMNS, order, span};
use subscription::endpoint;
pub(crate) use subscription::{
    FAILING_COLUMNS, SUBSCRIPTION_COLUMNS, VERSION_COLUMNS, VERSIONS, Versions, failure_streak,
    found_version, protocol, state, subscription,
};

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
pub(crate) fn sift<T>(
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
