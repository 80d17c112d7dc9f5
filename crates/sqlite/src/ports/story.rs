//! What an order led to, as much of it as a person can read at once: however many subscriptions there are, it costs no
//! more.

use application::Error;
use application::ports::{Bystanders, ChannelPause, Page, PageRequest, Story};
use domain::Timestamp;
use domain::order::{LoggedOrder, OrderId, Seq};
use domain::subscription::{Subscription, Version};
use rusqlite::{Connection, OptionalExtension, params};

use super::all;
use super::delivery_records::records;
use crate::columns::{self, micros};
use crate::failure::unreadable;
use crate::paging::Window;
use crate::rows::{self, ORDER_COLUMNS, SUBSCRIPTION_COLUMNS};

/// How many subscriptions one page of those without a delivery looks at, whether they have one or not.
const LOOKED_AT: i64 = 1_000;

pub(super) fn story(connection: &Connection, id: OrderId) -> Result<Option<Story>, Error> {
    let page = PageRequest { limit: PageRequest::DEFAULT, cursor: None };
    let Some(bystanders) = bystanders(connection, id, Window::of(&page)?)? else { return Ok(None) };
    let order = &bystanders.order;
    let first = format!("deliveries.order_seq = ? ORDER BY deliveries.seq LIMIT {}", Story::DELIVERIES);
    let read = || {
        let deliveries = records(connection, &first, [order.seq.0])?;
        let deliveries = deliveries.into_iter().map(|(_, record)| record).collect();
        Ok((deliveries, tally(connection, order.seq)?, pauses(connection, order.order.time)?))
    };
    let (deliveries, tally, pauses) = read().map_err(unreadable)?;
    Ok(Some(Story { bystanders, deliveries, tally, pauses }))
}

pub(super) fn bystanders(
    connection: &Connection,
    id: OrderId,
    window: Window,
) -> Result<Option<Bystanders>, Error> {
    let read = || {
        let Some(order) = order(connection, id)? else { return Ok(None) };
        let published = published(connection, order.seq)?;
        let page = if published { without_delivery(connection, order.seq, window)? } else { nobody() };
        Ok(Some(Bystanders { order, published, page }))
    };
    read().map_err(unreadable)
}

fn nobody<T>() -> Page<T> {
    Page { items: Vec::new(), next: None }
}

fn order(connection: &Connection, id: OrderId) -> rusqlite::Result<Option<LoggedOrder>> {
    let sql = format!("SELECT {ORDER_COLUMNS} FROM orders WHERE id = ?");
    connection.prepare_cached(&sql)?.query_row([id.0.as_bytes()], rows::order).optional()
}

fn published(connection: &Connection, seq: Seq) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT published_through >= ? FROM relay")?
        .query_row([seq.0], |row| row.get(0))
}

/// How many deliveries the order has in each state.
fn tally(
    connection: &Connection,
    order: Seq,
) -> rusqlite::Result<Vec<(domain::delivery::DeliveryState, usize)>> {
    let sql = format!(
        "SELECT state, count(*) AS count FROM (SELECT state FROM deliveries WHERE order_seq = ? LIMIT {}) \
         GROUP BY state",
        Story::COUNTED
    );
    all(connection.prepare_cached(&sql)?, [order.0], |row| {
        let count: i64 = row.get("count")?;
        Ok((rows::delivery_state(row, "state")?, usize::try_from(count).unwrap_or_default()))
    })
}

/// A page of the subscriptions that have no delivery of the order, newest first.
fn without_delivery(
    connection: &Connection,
    order: Seq,
    window: Window,
) -> rusqlite::Result<Page<(Subscription, Option<Version>)>> {
    let last = last_looked_at(connection, window)?;
    let sql = format!(
        "SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE seq < ?1 AND seq >= ?2 AND NOT EXISTS \
         (SELECT 1 FROM deliveries WHERE order_seq = ?3 AND deliveries.subscription = subscriptions.seq) \
         ORDER BY seq DESC LIMIT ?4"
    );
    let parameters = params![window.before, last.unwrap_or_default(), order.0, window.rows()];
    let found = all(connection.prepare_cached(&sql)?, parameters, |row| {
        Ok((row.get::<_, i64>("subscription_seq")?, rows::subscription(row)?))
    })?;
    let with_version = found.into_iter().map(|(seq, subscription)| {
        let version = version_at(connection, seq, order)?;
        Ok((seq, (subscription, version)))
    });
    let page = window.page(with_version.collect::<rusqlite::Result<Vec<_>>>()?);
    let next = page.next.or_else(|| last.map(|last| last.to_string()));
    Ok(Page { items: page.items, next })
}

/// The last subscription that this page looks at; `None`: all that are left.
fn last_looked_at(connection: &Connection, window: Window) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT seq FROM subscriptions WHERE seq < ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([window.before, LOOKED_AT - 1], |row| row.get(0)).optional()
}

/// What the subscription was when the order was accepted.
fn version_at(connection: &Connection, subscription: i64, order: Seq) -> rusqlite::Result<Option<Version>> {
    let sql = "SELECT subscriptions.id AS subscription_id, from_seq, to_seq, subscription_versions.state, \
               subscription_versions.filter_policy, receives FROM subscription_versions \
               JOIN subscriptions ON subscriptions.seq = subscription \
               WHERE subscription = ? AND from_seq <= ? ORDER BY from_seq DESC LIMIT 1";
    let found =
        connection.prepare_cached(sql)?.query_row([subscription, order.0], rows::version).optional()?;
    Ok(found.filter(|version| version.contains(order)))
}

fn pauses(connection: &Connection, since: Timestamp) -> rusqlite::Result<Vec<ChannelPause>> {
    let sql = format!(
        "SELECT protocol, from_at, to_at, reason FROM channel_pauses WHERE to_at >= ?1 OR to_at IS NULL \
         ORDER BY seq LIMIT {}",
        Story::PAUSES
    );
    all(connection.prepare_cached(&sql)?, [micros(since)], |row| {
        Ok(ChannelPause {
            protocol: rows::protocol(row)?,
            from: columns::time(row, "from_at")?,
            to: columns::time_or_none(row, "to_at")?,
            reason: row.get("reason")?,
        })
    })
}
