//! What lists say of each of their rows: a bounded look at what became of it.

use domain::subscription::SubscriptionId;
use rusqlite::Connection;

use super::delivery_records::{Records, records};

/// The newest confirmation request of each subscription.
pub(super) fn confirmation_requests(
    connection: &Connection,
    of: &[SubscriptionId],
) -> rusqlite::Result<Records> {
    let newest = "deliveries.seq = (SELECT max(asked.seq) FROM deliveries asked WHERE asked.kind = 'confirmation' \
                  AND asked.subscription = (SELECT seq FROM subscriptions WHERE id = ?))";
    let mut found = Records::default();
    for id in of {
        found.extend(records(connection, newest, [id.0.as_bytes()])?);
    }
    Ok(found)
}
