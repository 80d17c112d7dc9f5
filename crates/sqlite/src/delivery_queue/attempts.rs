//! Attempts: recorded before they are made; what came of them, and all that follows.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use application::ports::{Finished, Intent};
use domain::Timestamp;
use domain::attempt::Scope;
use domain::delivery::{Consequence, DeliveryId, DeliveryState, Next};
use domain::failure_streak::FailureStreak;
use domain::receipt::{ReceiptStatus, after_receipt};
use domain::subscription::{CONFIRMATION_LIFETIME, SubscriptionId, SubscriptionState};
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::{self, micros};
use crate::delivery_queue::next_due::refresh_each;
use crate::delivery_queue::recovery::on_success_after_failures;
use crate::failure::Failure;
use crate::notices::incidents;
use crate::orders::spam::IS_SPAM;
use crate::receipts::IS_LAST;
use crate::rows::{self, FAILING_COLUMNS};
use crate::subscriptions::administer::suspend_failing;
use crate::subscriptions::transition;
use crate::write::Effects;

const END_ATTEMPT: &str = "UPDATE attempts SET ended_at = ?3, outcome = ?4, scope = ?5, used = ?6, reply = ?7, status = ?8 \
     WHERE delivery = ?1 AND number = ?2 AND ended_at IS NULL";
static SETTLE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE deliveries SET state = ?2, at = ?3, attempts_used = attempts_used + ?4, \
         escalates_at = CASE WHEN ?2 IN ('delivered', 'sandboxed', 'cancelled') THEN NULL ELSE escalates_at END, \
         cancel_reason = CASE ?2 WHEN 'cancelled' THEN {} END WHERE seq = ?1",
        *WHY_POINTLESS
    )
});

/// Pauses an endpoint; a longer pause stays.
const PAUSE_ENDPOINT: &str =
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

/// Records one outcome and all that follows; answers the subscription, if that suspends it.
fn finish_one(
    connection: &Connection,
    effects: &mut Effects,
    finished: &Finished,
    delivery: &Delivery,
) -> Result<Option<SubscriptionId>, Failure> {
    let (outcome, used) = (&finished.outcome, finished.decision.uses_attempt);
    let ended = connection.prepare_cached(END_ATTEMPT)?.execute(params![
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
    let too_much = record_health(connection, effects, finished, delivery)?;
    let suspended = apply_consequence(connection, effects, finished, delivery, too_much)?;
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

/// Records since when and how often the endpoint fails, from its first failure after a success on. Answers whether it now
/// has failed too much.
fn record_health(
    connection: &Connection,
    effects: &mut Effects,
    finished: &Finished,
    delivery: &Delivery,
) -> rusqlite::Result<bool> {
    let kind = finished.outcome.kind;
    let failure_streak = match kind.scope() {
        None if delivery.failure_streak.is_some() => None,
        Some(_) if kind.is_endpoint_failure() && !finished.blameless => {
            Some(FailureStreak::after_failure(delivery.failure_streak, finished.at))
        }
        _ => return Ok(false),
    };
    transition::set_failure_streak(connection, delivery.subscription_seq, failure_streak)?;
    if let Some(before) = delivery.failure_streak.filter(|_| failure_streak.is_none()) {
        let attempt = (delivery.seq, finished.number);
        let subscription = (delivery.subscription_seq, before);
        on_success_after_failures(connection, effects, attempt, subscription, finished.at)?;
    }
    Ok(failure_streak.is_some_and(FailureStreak::should_suspend))
}

/// Applies what the attempt means for its subscription. Answers it, if it is suspended.
fn apply_consequence(
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
            connection.prepare_cached(PAUSE_ENDPOINT)?.execute(parameters)?;
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
        // What came of the attempt is on record; whoever looks for what is due quarantines the subscription.
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
    failure_streak: Option<FailureStreak>,
    /// That some attempt arrived, as its provider reported last; else, what was reported last of this one.
    receipt: Option<ReceiptStatus>,
    /// Sending it again would serve nobody: its subscription ended, its order is spam, or its confirmation request was
    /// answered or asked anew.
    pointless: bool,
}

/// Whether a confirmation request was answered or superseded.
pub(crate) const SUPERSEDED: &str = "(kind = 'confirmation' AND (subscriptions.state <> 'pending' OR \
     EXISTS (SELECT 1 FROM deliveries newer WHERE newer.subscription = deliveries.subscription \
     AND newer.kind = 'confirmation' AND newer.seq > deliveries.seq)))";
/// Why sending a delivery again would serve nobody; NULL where it may.
pub(crate) static WHY_POINTLESS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "(SELECT CASE WHEN subscriptions.state = 'ended' THEN 'subscription_ended' \
         WHEN {SUPERSEDED} THEN 'superseded' WHEN {IS_SPAM} THEN 'spam' END \
         FROM subscriptions WHERE subscriptions.seq = deliveries.subscription)"
    )
});
static FIND_DELIVERY: LazyLock<String> = LazyLock::new(|| {
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
        .prepare_cached(&FIND_DELIVERY)?
        .query_row(params![finished.delivery.0.as_bytes(), finished.number], |row| {
            // By their places: looking columns up by name takes longer than reading them.
            let subscription = columns::uuid(row, 1).ok().map(SubscriptionId);
            // A report that nobody understands decides nothing; nor does a time that is none.
            let receipt = columns::named(row, 8, &ReceiptStatus::ALL, ReceiptStatus::name).ok();
            Ok(Delivery {
                seq: row.get(0)?,
                subscription,
                subscription_seq: row.get(3)?,
                failure_streak: rows::failure_streak(row).unwrap_or_default(),
                receipt,
                pointless: row.get(2)?,
            })
        })
        .optional()
}

/// Finds a pending delivery that may be taken in flight. Not if the subscription was suspended since the caller looked: then the delivery
/// waits. Nor if the order is spam: then it is cancelled soon.
static FIND_PENDING: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT deliveries.seq, kind = 'confirmation' AND attempts_used = 0, subscription FROM deliveries \
         JOIN subscriptions ON subscriptions.seq = subscription WHERE deliveries.id = ?1 AND deliveries.state = 'pending' \
         AND attempts = ?2 - 1 AND subscriptions.state IN ('confirmed', iif(kind = 'confirmation', 'pending', 'confirmed')) \
         AND NOT {IS_SPAM}"
    )
});
/// By its place: of what an update may find in several rows, or answers, SQLite keeps each page as it was before.
const TAKE_DELIVERY: &str =
    "UPDATE deliveries SET state = 'in_flight', attempts = ?2, at = ?3 WHERE seq = ?1";
/// Extends the confirmation's time, as the domain has it:
/// [`Subscription::confirmation_expires_if_sent`](domain::subscription::Subscription::confirmation_expires_if_sent).
const EXTEND_CONFIRMATION: &str =
    "UPDATE subscriptions SET confirmation_expires_at = max(confirmation_expires_at, ?2) WHERE seq = ?1";
const INSERT_ATTEMPT: &str = "INSERT INTO attempts (delivery, number, started_at) VALUES (?, ?, ?)";

pub(crate) fn begin(connection: &Connection, intents: &[Intent]) -> Result<Vec<DeliveryId>, Failure> {
    let mut find = connection.prepare_cached(&FIND_PENDING)?;
    let mut take = connection.prepare_cached(TAKE_DELIVERY)?;
    let mut record = connection.prepare_cached(INSERT_ATTEMPT)?;
    let mut begun = Vec::with_capacity(intents.len());
    let mut subscriptions = BTreeSet::new();
    for Intent { delivery, number, at } in intents {
        let found = find.query_row(params![delivery.0.as_bytes(), number], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, i64>(2)?))
        });
        let Some((seq, asks_anew, subscription)) = found.optional()? else { continue };
        take.execute(params![seq, number, micros(*at)])?;
        record.execute(params![seq, number, micros(*at)])?;
        if asks_anew {
            let expires_at = micros(*at + CONFIRMATION_LIFETIME);
            connection.prepare_cached(EXTEND_CONFIRMATION)?.execute([subscription, expires_at])?;
        }
        begun.push(*delivery);
        subscriptions.insert(subscription);
    }
    refresh_each(connection, subscriptions)?;
    Ok(begun)
}
