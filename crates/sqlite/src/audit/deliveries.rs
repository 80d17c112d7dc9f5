//! Each delivery by itself, and how often each subscription was asked: as they are on record.

use std::collections::{BTreeMap, HashSet};

use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryKind, DeliveryState, WaitReason};
use domain::endpoint::Protocol;
use domain::order::OrderId;
use domain::subscription::SubscriptionState;
use oracle::deliveries::{self, ByPeople, CancelReason, Kind, State};
use oracle::subscriptions::Requests;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::attempts::{self, Attempts, Receipts, all_attempts, all_receipts};
use super::exception::{Exception, Findings};
use super::subscriptions::{self, Subscribed, Subscriptions};
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
    state: DeliveryState,
    attempts: u32,
    attempts_used: u32,
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
    let (mut attempts, mut receipts) = (all_attempts(snapshot)?, all_receipts(snapshot)?);
    let mut recorded = (attempts::attempts(&mut attempts)?, attempts::receipts(&mut receipts)?);
    // How many confirmation requests each subscription was sent, and whether the newest is cancelled, and by no person.
    let mut requests = BTreeMap::<_, (u32, bool)>::new();
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
        let cancelled = judge(snapshot, &delivery, subscribed, &mut recorded, findings)?;
        if delivery.kind == DeliveryKind::Confirmation {
            let (made, taken_back) = requests.entry(delivery.subscription).or_default();
            *made += 1;
            *taken_back = cancelled;
        }
    }
    for (seq, subscribed) in subscriptions {
        let (made, taken_back) = requests.remove(seq).unwrap_or_default();
        let awaited = subscribed.state == SubscriptionState::Pending && !subscribed.has_lapsed;
        let requests = Requests { made, generation: subscribed.generation, taken_back, awaited };
        if let Some(violation) = oracle::subscriptions::asked(requests) {
            findings.add(Exception::from(violation).subscription(subscribed.id));
        }
    }
    Ok(counted)
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    // These must be readable, too.
    columns::time(row, "created_at")?;
    columns::time_or_none(row, "not_escalated_at")?;
    rows::notice(row, "notice")?;
    Ok(Delivery {
        seq: row.get("seq")?,
        id: DeliveryId(columns::uuid(row, "id")?),
        kind: rows::kind(row, "kind")?,
        subscription: row.get("subscription")?,
        order: row.get("order_seq")?,
        at: columns::time(row, "at")?,
        cancel_reason: columns::named_or_none(row, "cancel_reason", &CancelReason::ALL, CancelReason::name)?,
        quarantined: row.get("quarantined")?,
        state: columns::named(row, "state", &DeliveryState::ALL, DeliveryState::name)?,
        attempts: row.get("attempts")?,
        attempts_used: columns::count(row, "attempts_used")?,
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
        let waits = delivery.state == DeliveryState::Pending;
        // What waits for one that ended is cancelled, a few at a time.
        let over = subscribed.is_some_and(|subscribed| subscribed.state == SubscriptionState::Ended);
        count(counts, if waits && over { DeliveryState::Cancelled } else { delivery.state });
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
    (attempts, receipts): &mut (Attempts<'_>, Receipts<'_>),
    findings: &mut Findings<'_>,
) -> rusqlite::Result<bool> {
    let attempts = attempts.of(delivery.seq)?;
    let found: Vec<_> = match attempts.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(recorded) => {
            let receipts: Option<Vec<_>> = receipts.of(delivery.seq)?.into_iter().collect();
            let facts = deliveries::Delivery {
                kind: kind(delivery.kind),
                of_order: delivery.order.is_some(),
                state: state(delivery.state),
                attempts: delivery.attempts,
                attempts_used: delivery.attempts_used,
                cancel_reason: delivery.cancel_reason,
                recorded: &recorded,
                receipts: receipts.as_deref(),
                by_people: by_people(snapshot, delivery)?,
                subscription: subscribed.map(|subscribed| subscriptions::state(subscribed.state)),
            };
            deliveries::judge(&facts).into_iter().map(Exception::from).collect()
        }
        Err(unreadable) => vec![findings.unreadable(&unreadable)],
    };
    let order = if found.is_empty() { None } else { order(snapshot, delivery)? };
    for exception in found {
        let exception = exception.order(order).delivery(delivery.id);
        findings.add(exception.subscription(subscribed.map(|subscribed| subscribed.id)));
    }
    let is_cancelled = delivery.state == DeliveryState::Cancelled;
    Ok(is_cancelled && delivery.cancel_reason != Some(CancelReason::Dropped))
}

/// What people did to a delivery, as far as its state hangs on that.
fn by_people(snapshot: &Connection, delivery: &Delivery) -> rusqlite::Result<ByPeople> {
    Ok(ByPeople {
        dropped: delivery.cancel_reason == Some(CancelReason::Dropped) && was(snapshot, delivery, "dropped")?,
        spam: delivery.cancel_reason == Some(CancelReason::Spam) && was_spam(snapshot, delivery)?,
        held: delivery.state == DeliveryState::Held && was(snapshot, delivery, "restored")?,
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

fn kind(kind: DeliveryKind) -> Kind {
    match kind {
        DeliveryKind::Notification => Kind::Notification,
        DeliveryKind::Confirmation => Kind::Confirmation,
        DeliveryKind::Notice | DeliveryKind::Test => Kind::Other,
    }
}

fn state(state: DeliveryState) -> State {
    match state {
        DeliveryState::Pending => State::Pending,
        DeliveryState::InFlight => State::InFlight,
        DeliveryState::Delivered => State::Delivered,
        DeliveryState::Sandboxed => State::Sandboxed,
        DeliveryState::Held => State::Held,
        DeliveryState::Dead => State::Dead,
        DeliveryState::Cancelled => State::Cancelled,
    }
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
