//! What an order led to.

use std::collections::BTreeMap;

use application::ports::{ChannelPause, Story};
use domain::Timestamp;
use domain::order::{OrderId, Seq};
use domain::subscription::{Subscription, Version};
use rusqlite::{Connection, Row};

use super::delivery_records::records;
use super::order_store::by_id;
use super::sift;
use crate::columns::{self, micros};
use crate::paging::Listed;
use crate::rows::{self, PAUSE_COLUMNS, SUBSCRIPTION_COLUMNS, VERSION_COLUMNS, VERSIONS, Versions};
use crate::unreadable::{Read, Table, Unreadable, read_row};

/// An order's story, with those of its rows that cannot be read.
pub(super) type Found = (Story, Vec<Unreadable>);

pub(super) fn story(connection: &Connection, id: OrderId) -> rusqlite::Result<Option<Read<Found>>> {
    let order = match by_id(connection, id)? {
        Some(Ok(order)) => order,
        Some(Err(unreadable)) => return Ok(Some(Err(unreadable))),
        None => return Ok(None),
    };
    let published = published(connection, order.seq)?;
    let found = records(connection, "deliveries.order_seq = ? ORDER BY deliveries.seq", [order.seq.0])?;
    let (mut deliveries, mut shown, mut senseless) = (Vec::new(), Vec::new(), found.beside);
    for Listed { id, read, .. } in found.listed {
        match read {
            Ok(record) => deliveries.push(record),
            Err(unreadable) => {
                shown.push(unreadable.listed(id));
                senseless.push(unreadable);
            }
        }
    }
    let (subscriptions, hidden) = subscriptions(connection, order.seq)?;
    let (pauses, unreadable) = pauses(connection, order.order.time)?;
    for (id, unreadable) in hidden.into_iter().chain(unreadable.into_iter().map(|pause| (None, pause))) {
        shown.push(unreadable.listed(id));
        senseless.push(unreadable);
    }
    Ok(Some(Ok((
        Story { order, published, deliveries, subscriptions, pauses, unreadable: shown },
        senseless,
    ))))
}

/// One that is set aside is published once it can be read.
fn published(connection: &Connection, seq: Seq) -> rusqlite::Result<bool> {
    let sql = "SELECT published_through >= ?1 AND NOT EXISTS \
               (SELECT 1 FROM set_aside WHERE of_table = 'orders' AND row = ?1) FROM relay";
    connection.prepare_cached(sql)?.query_row([seq.0], |row| row.get(0))
}

type Told = Vec<(Subscription, Vec<Version>)>;
type Hidden = Vec<(Option<String>, Unreadable)>;

/// The subscriptions with their versions; and those that cannot be read, with their ids where these can.
fn subscriptions(connection: &Connection, order: Seq) -> rusqlite::Result<(Told, Hidden)> {
    let sql = format!("SELECT {VERSION_COLUMNS} FROM {VERSIONS} ORDER BY subscription, from_seq");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(())?;
    let mut versions = BTreeMap::<i64, Versions>::new();
    while let Some(row) = found.next()? {
        versions.entry(row.get("subscription")?).or_default().add(row)?;
    }
    let sql = format!("SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions ORDER BY seq");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(())?;
    let (mut told, mut hidden) = (Vec::new(), Vec::new());
    while let Some(row) = found.next()? {
        let seq = row.get("subscription_seq")?;
        let versions = versions.remove(&seq).unwrap_or_default();
        match (read_row(Table::Subscriptions, seq, row, rows::subscription)?, versions.hides(order)) {
            (Ok(subscription), None) => told.push((subscription, versions.readable)),
            (Err(unreadable), _) => hidden.push((id(row), unreadable)),
            (Ok(_), Some(unreadable)) => hidden.push((id(row), unreadable.clone())),
        }
    }
    Ok((told, hidden))
}

fn id(row: &Row<'_>) -> Option<String> {
    columns::uuid(row, "subscription_id").ok().map(|id| id.to_string())
}

fn pauses(
    connection: &Connection,
    since: Timestamp,
) -> rusqlite::Result<(Vec<ChannelPause>, Vec<Unreadable>)> {
    let sql =
        format!("SELECT {PAUSE_COLUMNS} FROM channel_pauses WHERE to_at IS NULL OR to_at >= ? ORDER BY seq");
    sift(connection.prepare_cached(&sql)?, [micros(since)], |row| {
        read_row(Table::ChannelPauses, row.get("seq")?, row, rows::pause)
    })
}
