//! What an order led to, as much of it as a person can read at once: however many subscriptions there are, it costs no
//! more.

use application::Error;
use application::ports::{
    ChannelPause, DeliveryProgress, OrderHistory, Page, PageRequest, UnmatchedSubscriptions,
};
use domain::Timestamp;
use domain::delivery::DeliveryState;
use domain::order::{OrderId, Seq};
use domain::subscription::{Subscription, SubscriptionId, Version};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::micros;
use crate::deliveries::{Records, order_history, records};
use crate::failure::unreadable;
use crate::orders::by_id;
use crate::paging::{Listed, Window};
use crate::rows::{self, PAUSE_COLUMNS, SUBSCRIPTION_COLUMNS, VERSION_COLUMNS, VERSIONS, all, sift};
use crate::unreadable::{Read, Table, Unreadable, read_row};

/// How many subscriptions one page of those without a delivery looks at, whether they have one or not.
const MAX_SUBSCRIPTIONS_EXAMINED: i64 = 1_000;

/// The history, and those of its rows that cannot be read.
pub(crate) fn order_history(
    connection: &Connection,
    id: OrderId,
) -> Result<Option<(OrderHistory, Vec<Unreadable>)>, Error> {
    let page = PageRequest { limit: PageRequest::DEFAULT, cursor: None };
    let Some((unmatched, mut unreadable_rows)) = unmatched_subscriptions(connection, id, Window::of(&page)?)?
    else {
        return Ok(None);
    };
    let order = &unmatched.order;
    let first =
        format!("deliveries.order_seq = ? ORDER BY deliveries.seq LIMIT {}", OrderHistory::DELIVERIES);
    let read = || {
        let deliveries = records(connection, &first, [order.seq.0])?;
        Ok((
            deliveries,
            counts(connection, order.seq, OrderHistory::COUNTED)?,
            pauses(connection, order.order.time)?,
        ))
    };
    let (found, counts, (pauses, hidden)) = read().map_err(unreadable)?;
    let mut shown: Vec<_> = hidden.iter().map(|pause| pause.listed(None)).collect();
    let mut deliveries = Vec::new();
    unreadable_rows.extend(found.beside.into_iter().chain(hidden));
    for Listed { id, read, .. } in found.listed {
        match read {
            Ok(record) => deliveries.push(record),
            Err(unreadable) => {
                shown.push(unreadable.listed(id));
                unreadable_rows.push(unreadable);
            }
        }
    }
    Ok(Some((OrderHistory { unmatched, deliveries, counts, pauses, unreadable: shown }, unreadable_rows)))
}

/// A page of those who have no delivery of the order, and those of its rows that cannot be read.
pub(crate) fn unmatched_subscriptions(
    connection: &Connection,
    id: OrderId,
    window: Window,
) -> Result<Option<(UnmatchedSubscriptions, Vec<Unreadable>)>, Error> {
    let Some(order) = by_id(connection, id).map_err(unreadable)?.transpose()? else { return Ok(None) };
    let read = || {
        let published = published(connection, order.seq)?;
        let nobody = || window.page(Vec::new());
        let found = published.then(|| without_delivery(connection, order.seq, window)).transpose()?;
        Ok((published, found.unwrap_or_else(nobody)))
    };
    let (published, (page, unreadable)) = read().map_err(unreadable)?;
    Ok(Some((UnmatchedSubscriptions { order, published, page }, unreadable)))
}

/// One that is quarantined is published once it can be read.
pub(crate) fn published(connection: &Connection, seq: Seq) -> rusqlite::Result<bool> {
    let sql = "SELECT published_through >= ?1 AND NOT EXISTS \
               (SELECT 1 FROM quarantine WHERE of_table = 'orders' AND row = ?1) FROM relay";
    connection.prepare_cached(sql)?.query_row([seq.0], |row| row.get(0))
}

/// How many deliveries the order has in each state, of the first `most`; one in a state that nobody knows is not counted.
pub(crate) fn counts(
    connection: &Connection,
    order: Seq,
    most: usize,
) -> rusqlite::Result<Vec<(DeliveryState, usize)>> {
    let sql = "SELECT state, count(*) AS count FROM (SELECT state FROM deliveries WHERE order_seq = ?1 LIMIT ?2) \
               GROUP BY state";
    let parameters = params![order.0, i64::try_from(most).unwrap_or(i64::MAX)];
    let counts = all(connection.prepare_cached(sql)?, parameters, |row| {
        let count: i64 = row.get("count")?;
        let state = rows::delivery_state(row, "state").ok();
        Ok(state.map(|state| (state, usize::try_from(count).unwrap_or_default())))
    })?;
    Ok(counts.into_iter().flatten().collect())
}

type UnmatchedSubscription = (Subscription, Option<Version>);

/// A page of the subscriptions that have no delivery of the order, newest first.
fn without_delivery(
    connection: &Connection,
    order: Seq,
    window: Window,
) -> rusqlite::Result<(Page<UnmatchedSubscription>, Vec<Unreadable>)> {
    let last = last_looked_at(connection, window)?;
    let sql = format!(
        "SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE seq < ?1 AND seq >= ?2 AND NOT EXISTS \
         (SELECT 1 FROM deliveries WHERE order_seq = ?3 AND deliveries.subscription = subscriptions.seq) \
         ORDER BY seq DESC LIMIT ?4"
    );
    let parameters = params![window.before, last.unwrap_or_default(), order.0, window.rows()];
    let found = all(connection.prepare_cached(&sql)?, parameters, |row| {
        let seq = row.get("subscription_seq")?;
        let read = unmatched_subscription(connection, seq, order, row)?;
        Ok(Listed::of(seq, row, "subscription_id", read))
    })?;
    let (page, unreadable) = window.page(found);
    let next = page.next.or_else(|| last.map(|last| last.to_string()));
    Ok((Page { next, ..page }, unreadable))
}

/// The last subscription that this page looks at; `None`: all that are left.
fn last_looked_at(connection: &Connection, window: Window) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT seq FROM subscriptions WHERE seq < ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([window.before, MAX_SUBSCRIPTIONS_EXAMINED - 1], |row| row.get(0)).optional()
}

/// A subscription with what it was when the order was accepted.
fn unmatched_subscription(
    connection: &Connection,
    seq: i64,
    order: Seq,
    row: &Row<'_>,
) -> rusqlite::Result<Read<UnmatchedSubscription>> {
    let subscription = match read_row(Table::Subscriptions, seq, row, rows::subscription)? {
        Ok(subscription) => subscription,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let sql = format!(
        "SELECT {VERSION_COLUMNS} FROM {VERSIONS} WHERE subscription = ? AND from_seq <= ? \
         ORDER BY from_seq DESC LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let version = statement.query_row([seq, order.0], rows::found_version).optional()?.transpose();
    Ok(version.map(|version| (subscription, version.filter(|version| version.contains(order)))))
}

/// The first pauses since a time, and those that cannot be read.
fn pauses(
    connection: &Connection,
    since: Timestamp,
) -> rusqlite::Result<(Vec<ChannelPause>, Vec<Unreadable>)> {
    let sql = format!(
        "SELECT {PAUSE_COLUMNS} FROM channel_pauses WHERE to_at >= ?1 OR to_at IS NULL ORDER BY seq LIMIT {}",
        OrderHistory::PAUSES
    );
    sift(connection.prepare_cached(&sql)?, [micros(since)], |row| {
        read_row(Table::ChannelPauses, row.get("seq")?, row, rows::pause)
    })
}

/// The newest confirmation request of each subscription.
pub(crate) fn confirmation_requests(
    connection: &Connection,
    of: &[SubscriptionId],
) -> rusqlite::Result<Records> {
    let newest = "deliveries.seq = (SELECT max(asked.seq) FROM deliveries asked WHERE asked.kind = 'confirmation' \
                  AND asked.subscription = (SELECT seq FROM subscriptions WHERE id = ?))";
    let mut found = Records::default();
    for id in of {
        found.extend(records(connection, newest, [id.0.as_bytes()])?);
    }
    Ok(found)
}

/// How far the delivery of each order has come. All together look at [`DeliveryProgress::COUNTED`] deliveries at most.
pub(crate) fn delivery_progress(
    connection: &Connection,
    of: &[OrderId],
) -> rusqlite::Result<Vec<DeliveryProgress>> {
    let share = DeliveryProgress::COUNTED / of.len().max(1);
    of.iter().map(|id| delivery_progress_of(connection, *id, share)).collect()
}

fn delivery_progress_of(
    connection: &Connection,
    id: OrderId,
    share: usize,
) -> rusqlite::Result<DeliveryProgress> {
    let mut statement = connection.prepare_cached("SELECT seq FROM orders WHERE id = ?")?;
    let seq = statement.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?;
    let Some(seq) = seq.map(Seq) else {
        return Ok(DeliveryProgress { is_whole: true, ..DeliveryProgress::default() });
    };
    let counts = order_history::counts(connection, seq, share)?;
    let counted: usize = counts.iter().map(|(_, count)| count).sum();
    Ok(DeliveryProgress {
        published: order_history::published(connection, seq)?,
        counts,
        is_whole: counted < share,
    })
}
