//! Recording what came of attempts, and all that follows.

use std::sync::LazyLock;

use application::ports::Finished;
use domain::attempt::Scope;
use domain::delivery::{Consequence, DeliveryState, Next};
use domain::receipt::{ReceiptStatus, after_receipt};
use domain::subscription::{SubscriptionId, SubscriptionState};
use rusqlite::{Connection, OptionalExtension, params};

use super::suspend::suspend_failing;
use super::{Answer, transition};
use crate::columns::{self, micros};
use crate::failure::Failure;

const END: &str = "UPDATE attempts SET ended_at = ?3, outcome = ?4, scope = ?5, spent = ?6, reply = ?7 \
     WHERE delivery = ?1 AND number = ?2 AND ended_at IS NULL";
const SETTLE: &str = "UPDATE deliveries SET state = ?2, at = ?3, spent = spent + ?4, \
     escalates_at = CASE WHEN ?2 IN ('delivered', 'sandboxed', 'cancelled') THEN NULL ELSE escalates_at END WHERE seq = ?1";
const FAILING: &str = "UPDATE subscriptions SET failing_since = ?2 WHERE seq = ?1";

pub(super) fn finish(connection: &Connection, finished: &[Finished]) -> Result<Answer, Failure> {
    for finished in finished {
        finish_one(connection, finished)?;
    }
    Ok(Answer::Done)
}

fn finish_one(connection: &Connection, finished: &Finished) -> Result<(), Failure> {
    let Some(delivery) = delivery(connection, finished)? else { return Ok(()) };
    let (outcome, spent) = (&finished.outcome, finished.decision.spent);
    let ended = connection.prepare_cached(END)?.execute(params![
        delivery.seq,
        finished.number,
        micros(finished.at),
        outcome.kind.name(),
        outcome.kind.scope().map(Scope::name),
        spent,
        outcome.reply,
    ])?;
    if ended == 0 {
        // It has an outcome already: this is a repeat.
        return Ok(());
    }
    let (decided, at) = match finished.decision.next {
        Next::Over(state) => (state, finished.at),
        Next::Again(_) if delivery.pointless => (DeliveryState::Cancelled, finished.at),
        Next::Again(at) => (DeliveryState::Pending, at),
    };
    // A receipt that overtook this outcome.
    let reported = delivery.receipt.and_then(|status| after_receipt(decided, status));
    let (next, at) = reported.map_or((decided, at), |state| (state, finished.at));
    connection.prepare_cached(SETTLE)?.execute(params![delivery.seq, next.name(), micros(at), spent])?;
    note_health(connection, finished, &delivery)?;
    follow(connection, finished, delivery.subscription)
}

/// Keeps since when the endpoint fails: from its first failure after a success on.
fn note_health(connection: &Connection, finished: &Finished, delivery: &Delivery) -> rusqlite::Result<()> {
    let kind = finished.outcome.kind;
    let failing = match (kind.scope(), delivery.failing) {
        (None, true) => None,
        (Some(_), false) if kind.is_endpoint_failure() => Some(micros(finished.at)),
        _ => return Ok(()),
    };
    connection.prepare_cached(FAILING)?.execute(params![delivery.subscription_seq, failing])?;
    Ok(())
}

/// What the attempt means for its subscription.
fn follow(connection: &Connection, finished: &Finished, subscription: SubscriptionId) -> Result<(), Failure> {
    let consequence = finished.decision.consequence;
    if !finished.confirmed
        && !matches!(consequence, Some(Consequence::EndSubscription(_) | Consequence::SuspendSubscription))
    {
        return Ok(());
    }
    let found = transition::find(connection, subscription)?;
    let state = found.subscription.state;
    if finished.confirmed && state == SubscriptionState::Pending {
        transition::confirm(connection, &found, false, finished.at)?;
    }
    match consequence {
        Some(Consequence::EndSubscription(reason)) if state != SubscriptionState::Ended => {
            transition::end(connection, &found, reason, finished.at)?;
        }
        Some(Consequence::SuspendSubscription) if state == SubscriptionState::Confirmed => {
            suspend_failing(connection, &found, finished.at)?;
        }
        _ => {}
    }
    Ok(())
}

struct Delivery {
    seq: i64,
    subscription: SubscriptionId,
    subscription_seq: i64,
    /// Its endpoint's last attempt failed.
    failing: bool,
    /// What its provider reported last of this attempt; else, that an earlier one arrived.
    receipt: Option<ReceiptStatus>,
    /// Sending it again would serve nobody: its subscription ended, or its question was answered or asked anew.
    pointless: bool,
}

/// A question that was answered or asked anew.
pub(super) const QUESTION_OVER: &str = "(kind = 'confirmation' AND (subscriptions.state <> 'pending' OR \
     EXISTS (SELECT 1 FROM deliveries newer WHERE newer.subscription = deliveries.subscription \
     AND newer.kind = 'confirmation' AND newer.seq > deliveries.seq)))";
static DELIVERY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT deliveries.seq, subscriptions.id, subscriptions.state = 'ended' OR {QUESTION_OVER} AS pointless, \
         deliveries.subscription, failing_since IS NOT NULL AS failing, (SELECT status FROM receipts \
         WHERE receipts.delivery = deliveries.seq AND (attempt = ?2 OR status = 'delivered' AND receipts.at = \
         (SELECT max(at) FROM receipts same WHERE same.delivery = receipts.delivery AND same.attempt = receipts.attempt)) \
         ORDER BY attempt DESC, receipts.at DESC LIMIT 1) AS receipt \
         FROM deliveries JOIN subscriptions ON subscriptions.seq = deliveries.subscription WHERE deliveries.id = ?1"
    )
});

fn delivery(connection: &Connection, finished: &Finished) -> rusqlite::Result<Option<Delivery>> {
    connection
        .prepare_cached(&DELIVERY)?
        .query_row(params![finished.delivery.0.as_bytes(), finished.number], |row| {
            let subscription = SubscriptionId(columns::uuid(row, "id")?);
            let receipt = if columns::is_null(row, "receipt")? {
                None
            } else {
                Some(columns::named(row, "receipt", &ReceiptStatus::ALL, ReceiptStatus::name)?)
            };
            Ok(Delivery {
                seq: row.get("seq")?,
                subscription,
                subscription_seq: row.get("subscription")?,
                failing: row.get("failing")?,
                receipt,
                pointless: row.get("pointless")?,
            })
        })
        .optional()
}
