//! Owing what was not delivered in time to another subscription too.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use application::ports::Escalated;
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState};
use domain::subscription::SubscriptionId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::{self, micros};
use crate::delivery_queue::next_due::refresh_each;
use crate::failure::Failure;
use crate::orders::spam::IS_SPAM;
use crate::unreadable::quarantine::quarantine_row;
use crate::unreadable::{Read, Table, read_row};

/// How many escalations one commit settles, so that new orders need not wait for it.
const MAX_ESCALATIONS_AT_ONCE: i64 = 500;

/// What waits for one that ended is as good as cancelled, as is all of an order that is spam.
static LATE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT deliveries.seq, deliveries.id, order_seq, subscription, escalation_to, iif(deliveries.state = 'pending' \
         AND subscriptions.state = 'ended' OR {IS_SPAM}, 'cancelled', deliveries.state) AS state FROM deliveries \
         JOIN subscriptions ON subscriptions.seq = subscription WHERE escalates_at <= ? \
         ORDER BY escalates_at LIMIT ?"
    )
});
/// Nobody can say whether, or to whom, it escalates: it gets its time back when that is mended.
const UNDECIDED: &str = "UPDATE deliveries SET escalates_at = NULL, quarantined = 1 WHERE seq = ?";
const SETTLED: &str = "UPDATE deliveries SET escalates_at = NULL WHERE seq = ?";
/// Inserts the delivery to the escalation target, whatever its filter policy; not if it has the order already. A
/// placeholder, of which nobody could say whether it matched, becomes that delivery.
const INSERT_ESCALATED: &str = "INSERT INTO deliveries \
     (id, kind, subscription, order_seq, state, created_at, at, escalates_at, escalated_from) \
     SELECT ?1, 'notification', seq, ?3, 'pending', ?4, ?4, \
     ?4 + min(max(escalation_minutes, 1), 65535) * 60000000, ?5 FROM subscriptions \
     WHERE id = ?2 AND state IN ('confirmed', 'suspended') ON CONFLICT (order_seq, subscription) \
     DO UPDATE SET escalated_from = excluded.escalated_from \
     WHERE deliveries.quarantined = 1 AND attempts = 0 AND deliveries.escalated_from IS NULL RETURNING subscription";
const NOT_ESCALATED: &str = "UPDATE deliveries SET not_escalated_at = ?2 WHERE seq = ?1";
const HAS_IT: &str = "SELECT EXISTS (SELECT 1 FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription \
     WHERE order_seq = ?2 AND subscriptions.id = ?1 AND cancel_reason IS NOT 'subscription_ended')";

struct Late {
    seq: i64,
    id: DeliveryId,
    state: DeliveryState,
    order: Option<i64>,
    to: Option<SubscriptionId>,
}

pub(crate) fn escalate(connection: &Connection, now: Timestamp) -> Result<Escalated, Failure> {
    let mut statement = connection.prepare_cached(&LATE)?;
    let late = statement.query_map(params![micros(now), MAX_ESCALATIONS_AT_ONCE], late)?;
    let late = late.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut escalated = Escalated::default();
    let mut subscriptions = BTreeSet::new();
    for (seq, late) in late {
        let late = match late {
            Ok(late) => late,
            Err(unreadable) => {
                connection.prepare_cached(UNDECIDED)?.execute([seq])?;
                quarantine_row(connection, &unreadable, now)?;
                continue;
            }
        };
        connection.prepare_cached(SETTLED)?.execute([late.seq])?;
        let made = matches!(
            late.state,
            DeliveryState::Delivered | DeliveryState::Sandboxed | DeliveryState::Cancelled
        );
        if let Some(to) = late.to.filter(|_| !made) {
            let inserted = insert_escalated(connection, &late, to, now)?;
            escalated.deliveries += usize::from(inserted.is_some());
            subscriptions.extend(inserted);
            if inserted.is_none() && !has_it(connection, to, late.order)? {
                connection.prepare_cached(NOT_ESCALATED)?.execute([late.seq, micros(now)])?;
                escalated.not_escalated.push((late.id, to));
            }
        }
    }
    refresh_each(connection, subscriptions)?;
    let next = "SELECT min(escalates_at) AS next FROM deliveries WHERE escalates_at IS NOT NULL";
    // A time of no calendar never comes.
    let next_at = |row: &Row<'_>| Ok(columns::time_or_none(row, "next").unwrap_or_default());
    escalated.next_at = connection.prepare_cached(next)?.query_row((), next_at)?;
    Ok(escalated)
}

/// Answers to whom, by its `seq`, if that is new.
fn insert_escalated(
    connection: &Connection,
    late: &Late,
    to: SubscriptionId,
    now: Timestamp,
) -> rusqlite::Result<Option<i64>> {
    let id = DeliveryId::derived(now, &[late.id.0, to.0]);
    let parameters = params![id.0.as_bytes(), to.0.as_bytes(), late.order, micros(now), late.seq];
    connection.prepare_cached(INSERT_ESCALATED)?.query_row(parameters, |row| row.get(0)).optional()
}

fn has_it(connection: &Connection, to: SubscriptionId, order: Option<i64>) -> rusqlite::Result<bool> {
    connection.prepare_cached(HAS_IT)?.query_row(params![to.0.as_bytes(), order], |row| row.get(0))
}

/// What is late, by its `seq`.
fn late(row: &Row<'_>) -> rusqlite::Result<(i64, Read<Late>)> {
    let seq = row.get("seq")?;
    let to = |row: &Row<'_>| columns::uuid_or_none(row, "escalation_to");
    let late = match read_row(Table::Subscriptions, row.get("subscription")?, row, to)? {
        Ok(to) => read_row(Table::Deliveries, seq, row, |row| {
            Ok(Late {
                seq,
                id: DeliveryId(columns::uuid(row, "id")?),
                state: columns::named(row, "state", &DeliveryState::ALL, DeliveryState::name)?,
                order: row.get("order_seq")?,
                to: to.map(SubscriptionId),
            })
        })?,
        Err(unreadable) => Err(unreadable),
    };
    Ok((seq, late))
}
