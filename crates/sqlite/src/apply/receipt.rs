//! Recording what a provider reports of a message.

use application::Error;
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState};
use domain::receipt::{Receipt, after_receipt};
use domain::subscription::{EndReason, SubscriptionId, SubscriptionState};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Answer, transition};
use crate::columns::{self, micros};
use crate::failure::Failure;

const FIND: &str = "SELECT deliveries.seq, deliveries.state, subscriptions.id AS subscription_id FROM deliveries \
     JOIN subscriptions ON subscriptions.seq = subscription WHERE deliveries.id = ?";
const RECORD: &str = "INSERT OR IGNORE INTO receipts (delivery, attempt, status, reply, at) \
     SELECT seq, attempts, ?2, ?3, ?4 FROM deliveries WHERE seq = ?1";
const SETTLE: &str = "UPDATE deliveries SET state = ?2, at = ?3, \
     escalates_at = CASE ?2 WHEN 'delivered' THEN NULL ELSE escalates_at END WHERE seq = ?1";

pub(super) fn record(
    connection: &Connection,
    id: DeliveryId,
    receipt: &Receipt,
    now: Timestamp,
) -> Result<Answer, Failure> {
    let found = connection.prepare_cached(FIND)?.query_row([id.0.as_bytes()], |row| {
        let state = columns::named(row, "state", &DeliveryState::ALL, DeliveryState::name)?;
        Ok((row.get::<_, i64>("seq")?, state, SubscriptionId(columns::uuid(row, "subscription_id")?)))
    });
    let found = found.optional()?;
    let (seq, state, subscription) =
        found.ok_or_else(|| Error::not_found("delivery_not_found", "delivery"))?;
    let (status, at) = (receipt.status.name(), micros(now));
    if connection.prepare_cached(RECORD)?.execute(params![seq, status, receipt.reply, at])? == 0 {
        // The provider repeats itself.
        return Ok(Answer::Done);
    }
    if let Some(next) = after_receipt(state, receipt.status) {
        connection.prepare_cached(SETTLE)?.execute(params![seq, next.name(), at])?;
    }
    if receipt.opted_out {
        let found = transition::find(connection, subscription)?;
        if found.subscription.state != SubscriptionState::Ended {
            transition::end(connection, &found, EndReason::OptedOut, now)?;
        }
    }
    Ok(Answer::Done)
}
