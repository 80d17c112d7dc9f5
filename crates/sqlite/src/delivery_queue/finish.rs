//! Recording what came of attempts, and all that follows.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use application::ports::Finished;
use domain::Timestamp;
use domain::attempt::Scope;
use domain::delivery::{Consequence, DeliveryState, Next};
use domain::failing::Failing;
use domain::receipt::{ReceiptStatus, after_receipt};
use domain::subscription::{SubscriptionId, SubscriptionState};
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::{self, micros};
use crate::delivery_queue::call_forward::got_through;
use crate::delivery_queue::next_due::refresh_each;
use crate::failure::Failure;
use crate::notices::incidents;
use crate::orders::spam::IS_SPAM;
use crate::receipts::IS_LAST;
use crate::rows::{self, FAILING_COLUMNS};
use crate::subscriptions::administer::suspend_failing;
use crate::subscriptions::transition;
use crate::write::Effects;

const END: &str = "UPDATE attempts SET ended_at = ?3, outcome = ?4, scope = ?5, used = ?6, reply = ?7, status = ?8 \
     WHERE delivery = ?1 AND number = ?2 AND ended_at IS NULL";
static SETTLE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE deliveries SET state = ?2, at = ?3, attempts_used = attempts_used + ?4, \
         escalates_at = CASE WHEN ?2 IN ('delivered', 'sandboxed', 'cancelled') THEN NULL ELSE escalates_at END, \
         cancel_reason = CASE ?2 WHEN 'cancelled' THEN {} END WHERE seq = ?1",
        *WHY_POINTLESS
    )
});

/// A longer pause stands.
const LEAVE_ALONE: &str =
    "UPDATE subscriptions SET retry_at = ?2 WHERE seq = ?1 AND (retry_at IS NULL OR retry_at < ?2)";

pub(crate) fn finish(
    connection: &Connection,
    effects: &mut Effects,
    finished: &[Finished],
) -> Result<Vec<SubscriptionId>, Failure> {
    let (mut suspended, mut subscriptions) = (Vec::new(), BTreeSet::new());
    for finished in finished {
        let Some(delivery) = delivery(connection, finished)? else { continue };
        suspended.extend(finish_one(connection, effects, finished, &delivery)?);
        subscriptions.insert(delivery.subscription_seq);
    }
    refresh_each(connection, subscriptions)?;
    Ok(suspended)
}

/// Answers the subscription, if that suspends it.
fn finish_one(
    connection: &Connection,
    effects: &mut Effects,
    finished: &Finished,
    delivery: &Delivery,
) -> Result<Option<SubscriptionId>, Failure> {
    let (outcome, used) = (&finished.outcome, finished.decision.uses_attempt);
    let ended = connection.prepare_cached(END)?.execute(params![
        delivery.seq,
        finished.number,
        micros(finished.at),
        outcome.kind.name(),
        outcome.kind.scope().map(Scope::name),
        used,
        outcome.reply,
        outcome.status,
    ])?;
    if ended == 0 {
        // It has an outcome already: this is a repeat.
        return Ok(None);
    }
    let (next, at) = settled(finished, delivery);
    connection.prepare_cached(&SETTLE)?.execute(params![delivery.seq, next.name(), micros(at), used])?;
    let too_much = note_health(connection, effects, finished, delivery)?;
    let suspended = follow(connection, effects, finished, delivery, too_much)?;
    incidents::dead(connection, delivery.seq, next, &outcome.reply, finished.at)?;
    Ok(suspended)
}

/// What becomes of the delivery, and since or for when.
fn settled(finished: &Finished, delivery: &Delivery) -> (DeliveryState, Timestamp) {
    let (decided, at) = match finished.decision.next {
        Next::Over(state) => (state, finished.at),
        Next::Again(at) => (DeliveryState::Pending, at),
    };
    // A receipt that overtook this outcome.
    if let Some(reported) = delivery.receipt.and_then(|status| after_receipt(decided, status)) {
        return (reported, finished.at);
    }
    let waits = matches!(decided, DeliveryState::Pending | DeliveryState::Held);
    if waits && delivery.pointless { (DeliveryState::Cancelled, finished.at) } else { (decided, at) }
}

/// Keeps since when and how often the endpoint fails, from its first failure after a success on. Answers whether it now
/// has failed too much.
fn note_health(
    connection: &Connection,
    effects: &mut Effects,
    finished: &Finished,
    delivery: &Delivery,
) -> rusqlite::Result<bool> {
    let kind = finished.outcome.kind;
    let failing = match kind.scope() {
        None if delivery.failing.is_some() => None,
        Some(_) if kind.is_endpoint_failure() && !finished.blameless => {
            Some(Failing::again(delivery.failing, finished.at))
        }
        _ => return Ok(false),
    };
    transition::set_failing(connection, delivery.subscription_seq, failing)?;
    if let Some(before) = delivery.failing.filter(|_| failing.is_none()) {
        let attempt = (delivery.seq, finished.number);
        let subscription = (delivery.subscription_seq, before);
        got_through(connection, effects, attempt, subscription, finished.at)?;
    }
    Ok(failing.is_some_and(Failing::is_too_much))
}

/// What the attempt means for its subscription. Answers it, if it is suspended.
fn follow(
    connection: &Connection,
    effects: &mut Effects,
    finished: &Finished,
    delivery: &Delivery,
    failed_too_much: bool,
) -> Result<Option<SubscriptionId>, Failure> {
    let end = match finished.decision.consequence {
        Some(Consequence::EndSubscription(reason)) => Some(reason),
        Some(Consequence::PauseEndpoint(until)) => {
            let parameters = params![delivery.subscription_seq, micros(until)];
            connection.prepare_cached(LEAVE_ALONE)?.execute(parameters)?;
            None
        }
        Some(Consequence::PauseChannel(_)) | None => None,
    };
    if !finished.confirmed && !failed_too_much && end.is_none() {
        return Ok(None);
    }
    let Some(subscription) = delivery.subscription else { return Ok(None) };
    let found = match transition::find(connection, subscription) {
        Ok(found) => found,
        // What came of the attempt is on record; whoever looks for what is due sets the subscription aside.
        Err(Failure::Refused(_)) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    match (found.subscription.state, end) {
        (SubscriptionState::Ended, _) => {}
        (_, Some(reason)) => transition::end(connection, effects, &found, reason, finished.at)?,
        (SubscriptionState::Pending, None) if finished.confirmed => {
            transition::confirm(connection, &found, false, finished.at)?;
        }
        (SubscriptionState::Confirmed, None) if failed_too_much => {
            suspend_failing(connection, &found, finished.at)?;
            return Ok(Some(subscription));
        }
        _ => {}
    }
    Ok(None)
}

struct Delivery {
    seq: i64,
    /// `None` where its id cannot be read.
    subscription: Option<SubscriptionId>,
    subscription_seq: i64,
    /// How its endpoint fails.
    failing: Option<Failing>,
    /// That some attempt arrived, as its provider reported last; else, what was reported last of this one.
    receipt: Option<ReceiptStatus>,
    /// Sending it again would serve nobody: its subscription ended, its order is spam, or its question was answered or asked
    /// anew.
    pointless: bool,
}

/// A question that was answered or asked anew.
pub(crate) const SUPERSEDED: &str = "(kind = 'confirmation' AND (subscriptions.state <> 'pending' OR \
     EXISTS (SELECT 1 FROM deliveries newer WHERE newer.subscription = deliveries.subscription \
     AND newer.kind = 'confirmation' AND newer.seq > deliveries.seq)))";
/// Why sending a delivery again would serve nobody; NULL where it may.
pub(crate) static WHY_POINTLESS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "(SELECT CASE WHEN subscriptions.state = 'ended' THEN 'subscription_ended' \
         WHEN {SUPERSEDED} THEN 'confirmation_over' WHEN {IS_SPAM} THEN 'spam' END \
         FROM subscriptions WHERE subscriptions.seq = deliveries.subscription)"
    )
});
static DELIVERY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT deliveries.seq, subscriptions.id, {} IS NOT NULL AS pointless, \
         deliveries.subscription, {FAILING_COLUMNS}, (SELECT status FROM receipts \
         WHERE receipts.delivery = deliveries.seq AND (attempt = ?2 OR status = 'delivered') AND {IS_LAST} \
         ORDER BY status = 'delivered' DESC LIMIT 1) AS receipt \
         FROM deliveries JOIN subscriptions ON subscriptions.seq = deliveries.subscription WHERE deliveries.id = ?1",
        *WHY_POINTLESS
    )
});

fn delivery(connection: &Connection, finished: &Finished) -> rusqlite::Result<Option<Delivery>> {
    connection
        .prepare_cached(&DELIVERY)?
        .query_row(params![finished.delivery.0.as_bytes(), finished.number], |row| {
            let subscription = columns::uuid(row, "id").ok().map(SubscriptionId);
            // A report that nobody understands decides nothing; nor does a time that is none.
            let receipt = columns::named(row, "receipt", &ReceiptStatus::ALL, ReceiptStatus::name).ok();
            Ok(Delivery {
                seq: row.get("seq")?,
                subscription,
                subscription_seq: row.get("subscription")?,
                failing: rows::failing(row).unwrap_or_default(),
                receipt,
                pointless: row.get("pointless")?,
            })
        })
        .optional()
}
