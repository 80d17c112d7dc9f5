//! What an order led to.

use std::collections::BTreeMap;

use application::ports::{ChannelPause, Story};
use domain::Timestamp;
use domain::order::{OrderId, Seq};
use domain::subscription::{Subscription, Version};
use rusqlite::{Connection, OptionalExtension};

use super::all;
use super::delivery_records::records;
use crate::columns::{self, micros};
use crate::rows::{self, ORDER_COLUMNS, SUBSCRIPTION_COLUMNS};

pub(super) fn story(connection: &Connection, id: OrderId) -> rusqlite::Result<Option<Story>> {
    let sql = format!("SELECT {ORDER_COLUMNS} FROM orders WHERE id = ?");
    let order = connection.prepare_cached(&sql)?.query_row([id.0.as_bytes()], rows::order).optional()?;
    let Some(order) = order else { return Ok(None) };
    let published = published(connection, order.seq)?;
    let deliveries = records(connection, "deliveries.order_seq = ? ORDER BY deliveries.seq", [order.seq.0])?;
    let deliveries = deliveries.into_iter().map(|(_, record)| record).collect();
    let (subscriptions, pauses) = (subscriptions(connection)?, pauses(connection, order.order.time)?);
    Ok(Some(Story { order, published, deliveries, subscriptions, pauses }))
}

fn published(connection: &Connection, seq: Seq) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT published_through >= ? FROM relay")?
        .query_row([seq.0], |row| row.get(0))
}

fn subscriptions(connection: &Connection) -> rusqlite::Result<Vec<(Subscription, Vec<Version>)>> {
    let sql = "SELECT subscriptions.id AS subscription_id, from_seq, to_seq, subscription_versions.state, \
               subscription_versions.filter_policy, receives FROM subscription_versions \
               JOIN subscriptions ON subscriptions.seq = subscription ORDER BY subscription, from_seq";
    let mut versions = BTreeMap::<_, Vec<_>>::new();
    for version in all(connection.prepare_cached(sql)?, (), rows::version)? {
        versions.entry(version.subscription).or_default().push(version);
    }
    let sql = format!("SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions ORDER BY seq");
    let subscriptions = all(connection.prepare_cached(&sql)?, (), rows::subscription)?;
    let with_versions = |subscription: Subscription| {
        let versions = versions.remove(&subscription.id).unwrap_or_default();
        (subscription, versions)
    };
    Ok(subscriptions.into_iter().map(with_versions).collect())
}

fn pauses(connection: &Connection, since: Timestamp) -> rusqlite::Result<Vec<ChannelPause>> {
    let sql = "SELECT protocol, from_at, to_at, reason FROM channel_pauses WHERE to_at IS NULL OR to_at >= ? ORDER BY seq";
    all(connection.prepare_cached(sql)?, [micros(since)], |row| {
        Ok(ChannelPause {
            protocol: rows::protocol(row)?,
            from: columns::time(row, "from_at")?,
            to: columns::time_or_none(row, "to_at")?,
            reason: row.get("reason")?,
        })
    })
}
