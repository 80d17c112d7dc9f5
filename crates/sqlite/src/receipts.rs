//! Recording what a provider reports of a message.

use std::sync::LazyLock;

use application::Error;
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState};
use domain::endpoint::Protocol;
use domain::failure_streak::FailureStreak;
use domain::receipt::{Receipt, ReceiptStatus, after_receipt};
use domain::subscription::{EndReason, SubscriptionId, SubscriptionState};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::{self, micros};
use crate::delivery_queue::next_due::refresh;
use crate::delivery_queue::recovery::on_success_after_failures;
use crate::failure::Failure;
use crate::notices::incidents;
use crate::rows::{self, FAILING_COLUMNS};
use crate::subscriptions::transition;
use crate::write::Effects;

static FIND: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT deliveries.seq, deliveries.state, attempts, subscriptions.id AS subscription_id, subscription, \
         {FAILING_COLUMNS} FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription \
         WHERE deliveries.id = ? AND subscriptions.protocol = ?"
    )
});
const INSERT_RECEIPT: &str = "INSERT OR IGNORE INTO receipts (delivery, number, attempt, status, reply, at) \
     SELECT ?1, 1 + coalesce(max(number), 0), ?2, ?3, ?4, ?5 FROM receipts WHERE delivery = ?1";
/// The last report of one attempt.
pub(crate) const IS_LAST: &str = "receipts.number = (SELECT max(same.number) FROM receipts same \
     WHERE same.delivery = receipts.delivery AND same.attempt = receipts.attempt)";
/// What did not arrive after all escalates after all, unless it did already.
const SETTLE: &str = "UPDATE deliveries SET state = ?2, at = ?3, cancel_reason = NULL, escalates_at = iif(?2 = 'delivered', NULL, \
     (SELECT deliveries.created_at + min(max(escalation_minutes, 1), 65535) * 60000000 FROM subscriptions \
     WHERE subscriptions.seq = subscription AND kind = 'notification' AND NOT EXISTS \
     (SELECT 1 FROM deliveries late WHERE late.order_seq = deliveries.order_seq \
     AND late.escalated_from = deliveries.seq))) WHERE seq = ?1";

pub(crate) fn record(
    connection: &Connection,
    effects: &mut Effects,
    (id, attempt): (DeliveryId, u32),
    receipt: &Receipt,
    now: Timestamp,
) -> Result<(), Failure> {
    let Reported { seq, state, attempts, subscription, subscription_seq, failure_streak } =
        find(connection, id)?.ok_or_else(|| Error::not_found("delivery_not_found", "delivery"))?;
    if !(1..=attempts).contains(&attempt) {
        return Err(Error::not_found("attempt_not_found", "attempt").into());
    }
    let (status, at) = (receipt.status.name(), micros(now));
    if connection.prepare_cached(INSERT_RECEIPT)?.execute(params![seq, attempt, status, receipt.reply, at])?
        == 0
    {
        // The provider repeats itself.
        return Ok(());
    }
    let counts = match receipt.status {
        ReceiptStatus::Delivered => true,
        ReceiptStatus::Failed => attempt == attempts && !is_there(connection, seq, attempt)?,
    };
    if let Some(next) = after_receipt(state, receipt.status).filter(|_| counts) {
        connection.prepare_cached(SETTLE)?.execute(params![seq, next.name(), at])?;
        incidents::dead(connection, seq, next, &receipt.reply, now)?;
    }
    if receipt.status == ReceiptStatus::Delivered {
        transition::set_failure_streak(connection, subscription_seq, None)?;
        if let Some(streak) = failure_streak {
            on_success_after_failures(connection, effects, (seq, attempt), (subscription_seq, streak), now)?;
        }
    }
    if receipt.opted_out {
        let found = transition::find(connection, subscription)?;
        if found.subscription.state != SubscriptionState::Ended {
            transition::end(connection, effects, &found, EndReason::OptedOut, now)?;
        }
    }
    refresh(connection, subscription_seq)?;
    Ok(())
}

/// The delivery that is reported on.
struct Reported {
    seq: i64,
    state: DeliveryState,
    attempts: u32,
    subscription: SubscriptionId,
    subscription_seq: i64,
    /// How its endpoint fails.
    failure_streak: Option<FailureStreak>,
}

fn find(connection: &Connection, id: DeliveryId) -> rusqlite::Result<Option<Reported>> {
    // Of the providers only those of text messages report.
    let named = params![id.0.as_bytes(), Protocol::Sms.name()];
    let reported = |row: &Row<'_>| {
        Ok(Reported {
            seq: row.get("seq")?,
            state: columns::named(row, "state", &DeliveryState::ALL, DeliveryState::name)?,
            attempts: row.get("attempts")?,
            subscription: SubscriptionId(columns::uuid(row, "subscription_id")?),
            subscription_seq: row.get("subscription")?,
            failure_streak: rows::failure_streak(row)?,
        })
    };
    connection.prepare_cached(&FIND)?.query_row(named, reported).optional()
}

/// Whether another attempt brought the message.
fn is_there(connection: &Connection, delivery: i64, attempt: u32) -> rusqlite::Result<bool> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM receipts WHERE delivery = ? AND attempt <> ? AND status = 'delivered' AND {IS_LAST})"
    );
    connection.prepare_cached(&sql)?.query_row(params![delivery, attempt], |row| row.get(0))
}
