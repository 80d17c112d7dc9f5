//! What people do to deliveries: which they mean, as a condition of a statement, and the record of it.

use application::ports::{DeliveryFilter, InterventionKind};
use domain::Timestamp;
use domain::endpoint::Protocol;
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::micros;
use crate::deliveries::interventions;
use crate::write::MAX_ROWS_PER_WRITE;

/// With the state that it puts an end to: the delivery's row is about to lose that.
const INSERT_INTERVENTION: &str = "INSERT INTO interventions (delivery, number, kind, at, state_before, since) \
     SELECT seq, 1 + coalesce((SELECT max(number) FROM interventions WHERE delivery = ?1), 0), ?2, ?3, state, at \
     FROM deliveries WHERE seq = ?1";

/// Records what is about to be done to each of these, which are given by their `seq`.
pub(crate) fn record(
    connection: &Connection,
    deliveries: &[i64],
    kind: InterventionKind,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut record = connection.prepare_cached(INSERT_INTERVENTION)?;
    for seq in deliveries {
        record.execute(params![seq, kind.name(), micros(now)])?;
    }
    Ok(())
}

/// The condition, over deliveries and their subscriptions, with [`parameters`] as its parameters 1 to 4.
pub(crate) const FILTER: &str = "(?1 IS NULL OR subscriptions.id = ?1) AND (?2 IS NULL OR protocol = ?2) \
     AND deliveries.created_at >= ?3 AND deliveries.created_at < ?4";

/// What the condition is given.
pub(crate) fn parameters(filter: &DeliveryFilter) -> (Option<[u8; 16]>, Option<&'static str>, i64, i64) {
    let DeliveryFilter { subscription, protocol, from, before } = filter;
    (
        subscription.map(|id| id.0.into_bytes()),
        protocol.map(Protocol::name),
        from.map_or(i64::MIN, micros),
        before.map_or(i64::MAX, micros),
    )
}

/// A place in the index of what is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PendingCursor {
    pub(crate) subscription: i64,
    quarantined: bool,
    at: i64,
    pub(crate) delivery: i64,
}

/// What follows a place, nearest first; each range is one of the index.
const RANGES: [&str; 4] = [
    "subscription = ?5 AND quarantined = ?9 AND at = ?6 AND deliveries.seq > ?7",
    "subscription = ?5 AND quarantined = ?9 AND at > ?6 AND ?7 = ?7",
    "subscription = ?5 AND quarantined > ?9 AND ?6 = ?6 AND ?7 = ?7",
    "subscription > ?5 AND ?6 = ?6 AND ?7 = ?7 AND ?9 = ?9",
];

impl PendingCursor {
    /// Before all others.
    pub(crate) const START: Self =
        Self { subscription: i64::MIN, quarantined: false, at: i64::MIN, delivery: i64::MIN };
}

/// Those selected by the filter and the condition, of the next that are pending behind a place; and where to go on, if
/// there may be more.
pub(crate) fn pending_after(
    connection: &Connection,
    cursor: PendingCursor,
    filter: &DeliveryFilter,
    condition: &str,
) -> rusqlite::Result<(Vec<PendingCursor>, Option<PendingCursor>)> {
    let (cursor, ranges) = match filter.subscription {
        None => (cursor, &RANGES[..]),
        Some(id) => {
            let sql = "SELECT seq FROM subscriptions WHERE id = ?";
            let found =
                connection.prepare_cached(sql)?.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?;
            let Some(only) = found else { return Ok((Vec::new(), None)) };
            let here = cursor.subscription == only;
            (
                if here { cursor } else { PendingCursor { subscription: only, ..PendingCursor::START } },
                &RANGES[..3],
            )
        }
    };
    let (mut seen, mut selected) = (Vec::new(), Vec::new());
    for range in ranges {
        let sql = format!(
            "SELECT subscription, quarantined, at, deliveries.seq, {} AND {condition} FROM deliveries INDEXED BY deliveries_due \
             CROSS JOIN subscriptions ON subscriptions.seq = subscription \
             WHERE deliveries.state = 'pending' AND {range} ORDER BY subscription, quarantined, at, deliveries.seq LIMIT ?8",
            interventions::FILTER
        );
        let (subscription, protocol, from, before) = interventions::parameters(filter);
        let room = i64::try_from(MAX_ROWS_PER_WRITE - seen.len()).unwrap_or_default();
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![
            subscription,
            protocol,
            from,
            before,
            cursor.subscription,
            cursor.at,
            cursor.delivery,
            room,
            cursor.quarantined
        ])?;
        while let Some(row) = rows.next()? {
            let (subscription, quarantined) = (row.get(0)?, row.get(1)?);
            let cursor = PendingCursor { subscription, quarantined, at: row.get(2)?, delivery: row.get(3)? };
            selected.extend(Some(cursor).filter(|_| row.get(4) == Ok(true)));
            seen.push(cursor);
        }
    }
    let next = seen.last().copied().filter(|_| seen.len() == MAX_ROWS_PER_WRITE);
    Ok((selected, next))
}
