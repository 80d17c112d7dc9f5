//! Owing operators a notice of what the program did by itself.

use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::notice::Notice;
use domain::subscription::{Subscription, SubscriptionId};
use rusqlite::{Connection, Row, params};

use super::next_due::refresh;
use super::set_aside::put;
use crate::columns::{self, micros};
use crate::failure::Failure;
use crate::rows;
use crate::unreadable::{Read, Table, read_row};

const OWE: &str = "INSERT INTO deliveries (id, kind, subscription, state, created_at, at, notice) \
     VALUES (?1, 'notice', ?2, 'pending', ?3, ?3, ?4)";

/// Tells every operator that `failing` was suspended: over another channel than the one that failed, where there is one.
pub(super) fn suspended(
    connection: &Connection,
    failing: &Subscription,
    now: Timestamp,
) -> Result<(), Failure> {
    let notice = Notice::Suspended {
        subscription_id: failing.id,
        protocol: failing.endpoint.protocol(),
        endpoint: failing.endpoint.masked(),
        failing_since: failing.failing.map_or(now, |failing| failing.since),
    };
    let text = serde_json::to_string(&notice).map_err(application::Error::internal)?;
    let mut owe = connection.prepare_cached(OWE)?;
    for (seq, id, _) in reachable(connection, failing, now)? {
        let delivery = DeliveryId::derived(now, &[failing.id.0, id.0]);
        owe.execute(params![delivery.0.as_bytes(), seq, micros(now), text])?;
        refresh(connection, seq)?;
    }
    Ok(())
}

type Operator = (i64, SubscriptionId, Protocol);

/// One who cannot be read is set aside, and hides no other.
fn reachable(
    connection: &Connection,
    failing: &Subscription,
    now: Timestamp,
) -> rusqlite::Result<Vec<Operator>> {
    let sql = "SELECT seq, id, protocol FROM subscriptions WHERE receives <> 'orders' AND state = 'confirmed' AND id <> ?";
    let operator = |row: &Row<'_>| -> rusqlite::Result<Read<Operator>> {
        let seq = row.get("seq")?;
        read_row(Table::Subscriptions, seq, row, |row| {
            Ok((seq, SubscriptionId(columns::uuid(row, "id")?), rows::protocol(row)?))
        })
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut operators = Vec::new();
    for operator in statement.query_map([failing.id.0.as_bytes()], operator)? {
        match operator? {
            Ok(operator) => operators.push(operator),
            Err(unreadable) => put(connection, &unreadable, now)?,
        }
    }
    let elsewhere = |operator: &&Operator| operator.2 != failing.endpoint.protocol();
    let (others, all) = (operators.iter().filter(elsewhere).copied().collect::<Vec<_>>(), operators);
    Ok(if others.is_empty() { all } else { others })
}
