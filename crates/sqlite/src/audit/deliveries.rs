//! Each delivery by itself: in a known state that its attempts explain, and as many questions as were asked.

use std::collections::{BTreeMap, HashSet};

use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryId, DeliveryKind, DeliveryState, WaitReason};
use domain::endpoint::Protocol;
use domain::order::OrderId;
use domain::subscription::SubscriptionState;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::attempts::{self, Claims};
use super::exception::{Exception, ExceptionKind, Findings};
use super::subscriptions::{Subscribed, Subscriptions};
use super::summary::{ByState, Waiting, count, none};
use crate::columns;
use crate::rows;
use crate::unreadable::{Table, read_row};

/// What was counted on the way.
pub(super) struct Deliveries {
    pub(super) notifications: ByState,
    pub(super) others: ByState,
    pub(super) waiting: Waiting,
}

/// A delivery's row.
struct Delivery {
    seq: i64,
    id: DeliveryId,
    kind: DeliveryKind,
    subscription: i64,
    order: Option<i64>,
    at: Timestamp,
    cancel_reason: Option<CancelReason>,
    quarantined: bool,
    claims: Claims,
}

/// The confirmations that a subscription was sent.
#[derive(Default)]
struct Questions {
    asked: u32,
    /// The newest is cancelled, and no person dropped it.
    taken_back: bool,
}

pub(super) fn check(
    snapshot: &Connection,
    subscriptions: &Subscriptions,
    now: Timestamp,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<Deliveries> {
    let paused = paused(snapshot)?;
    let sql = "SELECT seq, id, kind, subscription, order_seq, state, cancel_reason, created_at, at, attempts, attempts_used, \
               notice, not_escalated_at, quarantined FROM deliveries ORDER BY seq";
    let mut statement = snapshot.prepare(sql)?;
    let mut found = statement.query(())?;
    let mut counted = Deliveries { notifications: none(), others: none(), waiting: Waiting::default() };
    let mut questions = BTreeMap::<_, Questions>::new();
    while let Some(row) = found.next()? {
        let delivery = match read_row(Table::Deliveries, row.get("seq")?, row, delivery)? {
            Ok(delivery) => delivery,
            Err(unreadable) => {
                let exception = findings.unreadable(&unreadable);
                findings.add(exception.delivery(columns::uuid(row, "id").ok().map(DeliveryId)));
                continue;
            }
        };
        let subscribed = subscriptions.get(&delivery.subscription);
        counted.add(&delivery, subscribed, &paused, now);
        let cancelled = judge(snapshot, &delivery, subscribed, findings)?;
        if delivery.kind == DeliveryKind::Confirmation {
            let questions = questions.entry(delivery.subscription).or_default();
            questions.asked += 1;
            questions.taken_back = cancelled;
        }
    }
    for (seq, subscribed) in subscriptions {
        let questions = questions.remove(seq).unwrap_or_default();
        if let Some((kind, wrong)) = unasked(subscribed, &questions) {
            findings.add(Exception::new(kind, wrong).subscription(subscribed.id));
        }
    }
    Ok(counted)
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    // These must be readable, too.
    columns::time(row, "created_at")?;
    columns::time_or_none(row, "not_escalated_at")?;
    rows::notice(row)?;
    Ok(Delivery {
        seq: row.get("seq")?,
        id: DeliveryId(columns::uuid(row, "id")?),
        kind: rows::kind(row)?,
        subscription: row.get("subscription")?,
        order: row.get("order_seq")?,
        at: columns::time(row, "at")?,
        cancel_reason: rows::cancel_reason(row)?,
        quarantined: row.get("quarantined")?,
        claims: Claims {
            state: columns::named(row, "state", &DeliveryState::ALL, DeliveryState::name)?,
            attempts: row.get("attempts")?,
            attempts_used: columns::count(row, "attempts_used")?,
        },
    })
}

impl Deliveries {
    fn add(
        &mut self,
        delivery: &Delivery,
        subscribed: Option<&Subscribed>,
        paused: &HashSet<Protocol>,
        now: Timestamp,
    ) {
        let is_notification = delivery.kind == DeliveryKind::Notification;
        let counts = if is_notification { &mut self.notifications } else { &mut self.others };
        let waits = delivery.claims.state == DeliveryState::Pending;
        // What waits for one that ended is cancelled, a few at a time.
        let over = subscribed.is_some_and(|subscribed| subscribed.state == SubscriptionState::Ended);
        count(counts, if waits && over { DeliveryState::Cancelled } else { delivery.claims.state });
        let Some(subscribed) = subscribed.filter(|_| waits && !over) else { return };
        let waiting = &mut self.waiting;
        let because = domain::delivery::Waiting {
            kind: delivery.kind,
            subscription: subscribed.state,
            channel_paused: paused.contains(&subscribed.protocol),
            at: subscribed.retry_at.map_or(delivery.at, |retry_at| retry_at.max(delivery.at)),
            quarantined: delivery.quarantined,
        }
        .because(now);
        let queue = match because {
            Some(WaitReason::Quarantined) => &mut waiting.quarantined,
            Some(WaitReason::SubscriptionSuspended) => &mut waiting.suspended,
            Some(WaitReason::SubscriptionNotConfirmed) => &mut waiting.unconfirmed,
            Some(WaitReason::ChannelPaused) => &mut waiting.channel_paused,
            Some(WaitReason::Retry) => &mut waiting.later,
            None => &mut waiting.due,
        };
        queue.add(Some(delivery.at).filter(|at| *at <= now));
    }
}

/// Names what is wrong with a delivery; answers whether it was cancelled, and not by a person.
fn judge(
    snapshot: &Connection,
    delivery: &Delivery,
    subscribed: Option<&Subscribed>,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<bool> {
    let mut faults = Vec::new();
    let attempts = attempts::read(snapshot, delivery.seq)?;
    match attempts.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(attempts) => {
            let receipts = attempts::receipts(snapshot, delivery.seq)?;
            faults.extend(attempts::faults(delivery.claims, &attempts, &receipts));
        }
        Err(unreadable) => {
            let exception = findings.unreadable(&unreadable);
            faults.push((exception.kind, exception.wrong));
        }
    }
    if delivery.claims.state == DeliveryState::Held && was(snapshot, delivery, "restored")? {
        faults.retain(|(kind, _)| *kind != ExceptionKind::StateUnexplained);
    }
    if (delivery.kind == DeliveryKind::Notification) != delivery.order.is_some() {
        let wrong = format!("it is a {} {} an order", delivery.kind.name(), with_or_without(delivery));
        faults.push((ExceptionKind::StateUnexplained, wrong));
    }
    if let Some(wrong) = wrongly_cancelled(snapshot, delivery, subscribed)? {
        faults.push((ExceptionKind::StateUnexplained, wrong.to_owned()));
    }
    let order = if faults.is_empty() { None } else { order(snapshot, delivery)? };
    for (kind, wrong) in faults {
        let exception = Exception::new(kind, wrong).order(order).delivery(delivery.id);
        findings.add(exception.subscription(subscribed.map(|subscribed| subscribed.id)));
    }
    let is_cancelled = delivery.claims.state == DeliveryState::Cancelled;
    Ok(is_cancelled && delivery.cancel_reason != Some(CancelReason::Dropped))
}

fn with_or_without(delivery: &Delivery) -> &'static str {
    if delivery.order.is_some() { "with" } else { "without" }
}

/// Beside people, who drop it or call its order spam, only the end of a subscription cancels; and its answer, or a newer question, a question.
fn wrongly_cancelled(
    snapshot: &Connection,
    delivery: &Delivery,
    subscribed: Option<&Subscribed>,
) -> rusqlite::Result<Option<&'static str>> {
    if delivery.claims.state != DeliveryState::Cancelled {
        let wrong = "it has a reason for being cancelled, and is not";
        return Ok(delivery.cancel_reason.map(|_| wrong));
    }
    let has_ended = subscribed.is_none_or(|subscribed| subscribed.state == SubscriptionState::Ended);
    Ok(match delivery.cancel_reason {
        None => Some("it is cancelled, and why is not on record"),
        Some(CancelReason::Dropped) if !was(snapshot, delivery, "dropped")? => {
            Some("it was dropped, and that a person did so is not on record")
        }
        Some(CancelReason::Spam) if !was_spam(snapshot, delivery)? => {
            Some("it is cancelled with an order that is spam, and that a person said so is not on record")
        }
        Some(CancelReason::SubscriptionEnded) if !has_ended => {
            Some("it is cancelled with its subscription, which has not ended")
        }
        Some(CancelReason::Superseded) if delivery.kind != DeliveryKind::Confirmation => {
            Some("it is cancelled as a confirmation request, and is none")
        }
        Some(_) => None,
    })
}

/// Whether a person said that its order is spam, be it taken back since.
fn was_spam(snapshot: &Connection, delivery: &Delivery) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM spam WHERE order_seq = ?)";
    snapshot.prepare_cached(sql)?.query_row([delivery.order], |row| row.get(0))
}

/// Whether a person did this to a delivery.
fn was(snapshot: &Connection, delivery: &Delivery, intervention: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM interventions WHERE delivery = ? AND kind = ?)";
    snapshot.prepare_cached(sql)?.query_row(params![delivery.seq, intervention], |row| row.get(0))
}

/// Each generation of a subscription was asked once, and one that waits for its answer was not taken back, unless it
/// lapsed.
fn unasked(subscribed: &Subscribed, questions: &Questions) -> Option<(ExceptionKind, String)> {
    let Questions { asked, taken_back } = questions;
    if *asked != subscribed.generation {
        let generation = subscribed.generation;
        let wrong = format!("it is of generation {generation}, and {asked} confirmations are on record");
        return Some((ExceptionKind::MissingConfirmation, wrong));
    }
    let is_asked = subscribed.state == SubscriptionState::Pending && !subscribed.has_lapsed;
    (*taken_back && is_asked).then(|| {
        let wrong = "it is pending, and its newest confirmation is cancelled";
        (ExceptionKind::StateUnexplained, wrong.to_owned())
    })
}

fn paused(snapshot: &Connection) -> rusqlite::Result<HashSet<Protocol>> {
    let mut statement = snapshot.prepare("SELECT protocol FROM channel_pauses WHERE to_at IS NULL")?;
    let mut found = statement.query(())?;
    let mut paused = HashSet::new();
    while let Some(row) = found.next()? {
        // One that nobody knows keeps nothing from being sent.
        paused.extend(rows::protocol(row));
    }
    Ok(paused)
}

fn order(snapshot: &Connection, delivery: &Delivery) -> rusqlite::Result<Option<OrderId>> {
    let found = snapshot
        .prepare_cached("SELECT id FROM orders WHERE seq = ?")?
        .query_row([delivery.order], |row| Ok(columns::uuid(row, 0).ok().map(OrderId)))
        .optional()?;
    Ok(found.flatten())
}
