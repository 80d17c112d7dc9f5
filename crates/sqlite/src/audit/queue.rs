//! Whether what waits is found when its time comes: the queue goes by `subscriptions.next_at` alone.

use domain::subscription::SubscriptionId;
use rusqlite::Connection;

use super::exception::{Exception, ExceptionKind, Findings};
use crate::columns;
use crate::delivery_queue::next_due::NEXT_AT;

/// Names those of whom something is found too late, or never. Looking too early costs a look, and no more.
pub(super) fn check(snapshot: &Connection, findings: &mut Findings<'_>) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT id, next_at, {NEXT_AT} AS should_be FROM subscriptions \
         WHERE should_be IS NOT NULL AND (next_at IS NULL OR next_at > should_be) ORDER BY seq"
    );
    let mut statement = snapshot.prepare(&sql)?;
    let mut found = statement.query(())?;
    while let Some(row) = found.next()? {
        let wrong = if columns::is_null(row, "next_at")? { "never" } else { "too late" };
        let exception =
            Exception::new(ExceptionKind::QueueDisagrees, format!("what waits for it is found {wrong}"));
        findings.add(exception.subscription(columns::uuid(row, "id").ok().map(SubscriptionId)));
    }
    Ok(())
}
