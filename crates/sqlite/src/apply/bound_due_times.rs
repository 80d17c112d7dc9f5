//! Bringing back what a clock that was wrong put far ahead.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use domain::Timestamp;
use domain::attributes::Minutes;
use domain::retry::LONGEST_DELAY;
use rusqlite::Connection;

use super::Answer;
use super::next_due::refresh_each;
use super::redrive::AT_ONCE;
use crate::columns::micros;
use crate::failure::Failure;

/// Leaps through the index from one subscription to the next, and looks at the far end of each: what is due in time costs
/// nothing, however much it is.
static BOUND_DUE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH RECURSIVE waiting (subscription) AS ( \
           SELECT min(subscription) FROM deliveries WHERE state = 'pending' \
           UNION ALL \
           SELECT (SELECT min(subscription) FROM deliveries WHERE state = 'pending' \
             AND subscription > waiting.subscription) \
           FROM waiting WHERE waiting.subscription IS NOT NULL) \
         UPDATE deliveries SET at = ?1 WHERE seq IN (SELECT deliveries.seq FROM waiting \
         CROSS JOIN deliveries INDEXED BY deliveries_due ON deliveries.subscription = waiting.subscription \
         WHERE deliveries.state = 'pending' AND set_aside = 0 AND deliveries.at > ?1 LIMIT {AT_ONCE}) \
         RETURNING subscription"
    )
});
static BOUND_ESCALATIONS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE deliveries SET escalates_at = ?1 WHERE seq IN (SELECT seq FROM deliveries \
         WHERE escalates_at > ?1 AND escalates_at IS NOT NULL LIMIT {AT_ONCE})"
    )
});

static BOUND_PAUSES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE subscriptions SET retry_at = ?1 WHERE seq IN (SELECT seq FROM subscriptions \
         WHERE retry_at > ?1 AND state <> 'ended' LIMIT {AT_ONCE}) RETURNING seq"
    )
});

/// Bounds the next of them. Answers how many there were: as long as there are any, there may be more.
pub(super) fn bound_due_times(connection: &Connection, now: Timestamp) -> Result<Answer, Failure> {
    let limit = |longest: Duration| micros(now.checked_add(longest).unwrap_or(Timestamp::MAX));
    let bounded = |sql: &str| -> rusqlite::Result<Vec<i64>> {
        connection.prepare_cached(sql)?.query_map([limit(LONGEST_DELAY)], |row| row.get(0))?.collect()
    };
    let (due, pauses) = (bounded(&BOUND_DUE)?, bounded(&BOUND_PAUSES)?);
    let escalations = connection.prepare_cached(&BOUND_ESCALATIONS)?.execute([limit(Minutes::LONGEST)])?;
    refresh_each(connection, due.iter().chain(&pauses).copied().collect::<BTreeSet<_>>())?;
    Ok(Answer::count(due.len() + pauses.len() + escalations))
}
