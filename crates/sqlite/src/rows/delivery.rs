//! A delivery's row, and its attempts' rows.

use application::ports::{
    AttemptRecord, DeliveryRecord, InterventionKind, InterventionRecord, ReceiptRecord,
};
use domain::delivery::{CancelReason, DeliveryId, DeliveryKind, DeliveryState};
use domain::endpoint::Endpoint;
use domain::notice::Notice;
use domain::order::OrderId;
use domain::receipt::ReceiptStatus;
use domain::subscription::{SubscriptionId, SubscriptionState};
use rusqlite::{Row, RowIndex};

use super::{endpoint, state};
use crate::columns;
use crate::unreadable::{Read, Table, read_row};

/// What [`delivery`] reads of `deliveries` joined with `subscriptions` and, loosely, `orders`.
pub(crate) const DELIVERY_COLUMNS: &str = "deliveries.seq AS delivery_seq, deliveries.id AS delivery_id, kind, \
     subscriptions.seq AS subscription_seq, subscriptions.id AS subscription_id, subscriptions.protocol, \
     subscriptions.endpoint, deliveries.order_seq, orders.id AS order_id, deliveries.quarantined AS is_quarantined, \
     deliveries.state AS delivery_state, deliveries.created_at, deliveries.at, deliveries.attempts, deliveries.attempts_used, notice, \
     (SELECT earlier.id FROM deliveries earlier WHERE earlier.seq = deliveries.escalated_from) AS escalated_from_id, \
     not_escalated_at, cancel_reason, subscriptions.state AS subscription_state, (SELECT reason FROM channel_pauses \
     WHERE channel_pauses.protocol = subscriptions.protocol AND to_at IS NULL) AS channel_pause";

/// Where [`DELIVERY_COLUMNS`] come from.
pub(crate) const DELIVERY_JOINS: &str = "deliveries JOIN subscriptions ON subscriptions.seq = subscription \
     LEFT JOIN orders ON orders.seq = deliveries.order_seq";

/// What [`attempt`] reads of the table `attempts`.
pub(crate) const ATTEMPT_COLUMNS: &str = "number, started_at, ended_at, outcome, scope, used, reply, status";

/// What [`receipt`] reads of the table `receipts`.
pub(crate) const RECEIPT_COLUMNS: &str = "attempt, at, status, reply";

/// What [`intervention`] reads of the table `interventions`.
pub(crate) const INTERVENTION_COLUMNS: &str = "kind, at, state_before, since";

/// The subscription that a delivery goes to.
struct Receiver {
    id: SubscriptionId,
    endpoint: Endpoint,
    state: SubscriptionState,
}

/// The delivery in a row that has [`DELIVERY_COLUMNS`], still without its attempts, receipts and interventions.
pub(crate) fn delivery(row: &Row<'_>) -> rusqlite::Result<Read<DeliveryRecord>> {
    let receiver = match read_row(Table::Subscriptions, row.get("subscription_seq")?, row, receiver)? {
        Ok(receiver) => receiver,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let seq = row.get::<_, Option<i64>>("order_seq")?.unwrap_or_default();
    match read_row(Table::Orders, seq, row, |row| columns::uuid_or_none(row, "order_id"))? {
        Ok(order) => read_row(Table::Deliveries, row.get("delivery_seq")?, row, |row| {
            record(row, receiver, order.map(OrderId))
        }),
        Err(unreadable) => Ok(Err(unreadable)),
    }
}

fn receiver(row: &Row<'_>) -> rusqlite::Result<Receiver> {
    Ok(Receiver {
        id: SubscriptionId(columns::uuid(row, "subscription_id")?),
        endpoint: endpoint(row)?,
        state: state(row, "subscription_state")?,
    })
}

fn record(row: &Row<'_>, receiver: Receiver, order: Option<OrderId>) -> rusqlite::Result<DeliveryRecord> {
    // Whoever looks for what is due reads it: where it cannot be read, the row is not mended.
    let _: u32 = row.get("attempts")?;
    Ok(DeliveryRecord {
        id: DeliveryId(columns::uuid(row, "delivery_id")?),
        kind: kind(row, "kind")?,
        subscription: receiver.id,
        endpoint: receiver.endpoint,
        order,
        state: delivery_state(row, "delivery_state")?,
        created_at: columns::time(row, "created_at")?,
        at: columns::time(row, "at")?,
        attempts_used: columns::count(row, "attempts_used")?,
        attempts: Vec::new(),
        receipts: Vec::new(),
        // That another row cannot be read is no fault of this one.
        escalated_from: columns::uuid_or_none(row, "escalated_from_id").ok().flatten().map(DeliveryId),
        notice: notice(row, "notice")?,
        not_escalated_at: columns::time_or_none(row, "not_escalated_at")?,
        interventions: Vec::new(),
        cancel_reason: columns::named_or_none(row, "cancel_reason", &CancelReason::ALL, CancelReason::name)?,
        subscription_state: receiver.state,
        channel_pause: row
            .get("channel_pause")
            .unwrap_or_else(|_| Some("the reason cannot be read".to_owned())),
        quarantined: row.get("is_quarantined")?,
        unreadable: Vec::new(),
    })
}

/// The attempt in a row that has [`ATTEMPT_COLUMNS`].
pub(crate) fn attempt(row: &Row<'_>) -> rusqlite::Result<AttemptRecord> {
    Ok(AttemptRecord {
        number: row.get("number")?,
        started_at: columns::time(row, "started_at")?,
        ended_at: columns::time_or_none(row, "ended_at")?,
        outcome: row.get("outcome")?,
        scope: row.get("scope")?,
        used: row.get("used")?,
        reply: row.get("reply")?,
        status: row.get("status")?,
    })
}

/// A column that holds a delivery's kind.
pub(crate) fn kind(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<DeliveryKind> {
    columns::named(row, column, &DeliveryKind::ALL, DeliveryKind::name)
}

/// The receipt in a row that has [`RECEIPT_COLUMNS`].
pub(crate) fn receipt(row: &Row<'_>) -> rusqlite::Result<ReceiptRecord> {
    Ok(ReceiptRecord {
        attempt: row.get("attempt")?,
        at: columns::time(row, "at")?,
        status: columns::named(row, "status", &ReceiptStatus::ALL, ReceiptStatus::name)?,
        reply: row.get("reply")?,
    })
}

/// The intervention in a row that has [`INTERVENTION_COLUMNS`].
pub(crate) fn intervention(row: &Row<'_>) -> rusqlite::Result<InterventionRecord> {
    Ok(InterventionRecord {
        kind: columns::named(row, "kind", &InterventionKind::ALL, InterventionKind::name)?,
        at: columns::time(row, "at")?,
        state_before: delivery_state(row, "state_before")?,
        since: columns::time(row, "since")?,
    })
}

/// A column that holds a delivery's state.
pub(crate) fn delivery_state(row: &Row<'_>, column: &str) -> rusqlite::Result<DeliveryState> {
    columns::named(row, column, &DeliveryState::ALL, DeliveryState::name)
}

/// A column that holds a notice, or nothing.
pub(crate) fn notice(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Option<Notice>> {
    if columns::is_null(row, column)? {
        return Ok(None);
    }
    columns::json(row, column).map(Some)
}
