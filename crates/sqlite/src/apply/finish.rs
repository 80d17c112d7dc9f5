//! Recording what came of attempts, and all that follows.

use application::ports::Finished;
use domain::attempt::Scope;
use domain::delivery::{Consequence, DeliveryState, Next};
use domain::subscription::{EndReason, SubscriptionId, SubscriptionState};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Answer, transition};
use crate::columns::{self, micros};
use crate::failure::Failure;

const END: &str = "UPDATE attempts SET ended_at = ?3, outcome = ?4, scope = ?5, spent = ?6, reply = ?7 \
     WHERE delivery = ?1 AND number = ?2 AND ended_at IS NULL";
const SETTLE: &str = "UPDATE deliveries SET state = ?2, at = ?3, spent = spent + ?4 WHERE seq = ?1";

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
    let (next, at) = match finished.decision.next {
        Next::Over(state) => (state, finished.at),
        Next::Again(_) if delivery.pointless => (DeliveryState::Cancelled, finished.at),
        Next::Again(at) => (DeliveryState::Pending, at),
    };
    connection.prepare_cached(SETTLE)?.execute(params![delivery.seq, next.name(), micros(at), spent])?;
    follow(connection, finished, delivery.subscription)
}

/// What the attempt means for its subscription.
fn follow(connection: &Connection, finished: &Finished, subscription: SubscriptionId) -> Result<(), Failure> {
    let gone = finished.decision.consequence == Some(Consequence::EndSubscription);
    if !finished.confirmed && !gone {
        return Ok(());
    }
    let found = transition::find(connection, subscription)?;
    let state = found.subscription.state;
    if finished.confirmed && state == SubscriptionState::Pending {
        transition::confirm(connection, &found, false, finished.at)?;
    }
    if gone && state != SubscriptionState::Ended {
        transition::end(connection, &found, EndReason::Gone, finished.at)?;
    }
    Ok(())
}

struct Delivery {
    seq: i64,
    subscription: SubscriptionId,
    /// Sending it again would serve nobody: its subscription ended, or its question was answered or asked anew.
    pointless: bool,
}

const DELIVERY: &str = "SELECT deliveries.seq, subscriptions.id, subscriptions.state = 'ended' OR kind = 'confirmation' \
     AND (subscriptions.state <> 'pending' OR EXISTS (SELECT 1 FROM deliveries newer WHERE newer.subscription = \
     deliveries.subscription AND newer.kind = 'confirmation' AND newer.seq > deliveries.seq)) AS pointless \
     FROM deliveries JOIN subscriptions ON subscriptions.seq = deliveries.subscription WHERE deliveries.id = ?";

fn delivery(connection: &Connection, finished: &Finished) -> rusqlite::Result<Option<Delivery>> {
    connection
        .prepare_cached(DELIVERY)?
        .query_row([finished.delivery.0.as_bytes()], |row| {
            let subscription = SubscriptionId(columns::uuid(row, "id")?);
            Ok(Delivery { seq: row.get("seq")?, subscription, pointless: row.get("pointless")? })
        })
        .optional()
}
