//! Pages of deliveries, which cost the same however many there are: each is found through the index that knows it.

use application::ports::{DeliveryQuery, DeliveryRecord, Page};
use domain::delivery::DeliveryState;
use domain::order::OrderId;
use domain::subscription::SubscriptionId;
use rusqlite::{Connection, OptionalExtension, params};

use crate::deliveries::{Records, records};
use crate::paging::Window;
use crate::rows::all;
use crate::schema::{LAST_STATES, RARE_STATES};
use crate::unreadable::Unreadable;

/// The most rows that one page looks at to find its own. A page that has not found enough by then is short, and the next
/// one goes on from there.
const MAX_ROWS_EXAMINED: usize = 20_000;

/// Where the deliveries of a page lie.
enum Index {
    /// All that this index holds under this condition; few, or just the wanted ones.
    Under(&'static str, String),
    /// Among others, from the newest on.
    Among,
}

/// What is asked for, by its `seq`s.
struct Wanted {
    subscription: Option<i64>,
    order: Option<i64>,
    state: Option<DeliveryState>,
}

/// A page, and those of its rows that cannot be read.
pub(crate) fn page(
    connection: &Connection,
    query: &DeliveryQuery,
    window: Window,
) -> rusqlite::Result<(Page<DeliveryRecord>, Vec<Unreadable>)> {
    let Some(wanted) = wanted(connection, query)? else { return Ok(window.page(Vec::new())) };
    let (places, looked_to) = match place(connection, &wanted)? {
        Index::Under(index, condition) => (under(connection, index, &condition, &wanted, window)?, None),
        Index::Among => among(connection, &wanted, window)?,
    };
    let mut found = Records::default();
    for seq in places {
        found.extend(records(connection, "deliveries.seq = ?", [seq])?);
    }
    let (page, mut unreadable) = window.page(found.listed);
    unreadable.extend(found.beside);
    let next = page.next.or_else(|| looked_to.map(|seq| seq.to_string()));
    Ok((Page { next, ..page }, unreadable))
}

/// `None`: there is no such subscription, or no such order.
fn wanted(connection: &Connection, query: &DeliveryQuery) -> rusqlite::Result<Option<Wanted>> {
    let subscription = match query.subscription {
        Some(id) => Some(subscription(connection, id)?),
        None => None,
    };
    let order = match query.order {
        Some(id) => Some(order(connection, id)?),
        None => None,
    };
    let unknown = subscription == Some(None) || order == Some(None);
    let wanted = Wanted { subscription: subscription.flatten(), order: order.flatten(), state: query.state };
    Ok(Some(wanted).filter(|_| !unknown))
}

fn subscription(connection: &Connection, id: SubscriptionId) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT seq FROM subscriptions WHERE id = ?";
    connection.prepare_cached(sql)?.query_row([id.0.as_bytes()], |row| row.get(0)).optional()
}

fn order(connection: &Connection, id: OrderId) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT seq FROM orders WHERE id = ?";
    connection.prepare_cached(sql)?.query_row([id.0.as_bytes()], |row| row.get(0)).optional()
}

/// A state stands in the text, beside its index's own condition, so that SQLite can take that index.
fn place(connection: &Connection, wanted: &Wanted) -> rusqlite::Result<Index> {
    if wanted.order.is_some() {
        // As many as there are subscriptions.
        return Ok(Index::Under("deliveries_one_per_order", "order_seq = ?3".to_owned()));
    }
    Ok(match (wanted.state, wanted.subscription) {
        (Some(DeliveryState::Pending), of) if waiting_are_few(connection, of)? => {
            let of = of.map_or("", |_| "subscription = ?2 AND");
            Index::Under("deliveries_due", format!("{of} state = 'pending'"))
        }
        (None | Some(DeliveryState::Pending | DeliveryState::Delivered), _) => Index::Among,
        (Some(state), Some(_)) if state != DeliveryState::InFlight => {
            let name = state.name();
            let condition = format!("subscription = ?2 AND {LAST_STATES} AND state = '{name}'");
            Index::Under("deliveries_by_subscription_and_last_state", condition)
        }
        (Some(state), _) => {
            let name = state.name();
            Index::Under("deliveries_by_rare_state", format!("{RARE_STATES} AND state = '{name}'"))
        }
    })
}

/// Whether so few wait that all of them can be looked at. Where they are many, they are the newest, as a rule.
fn waiting_are_few(connection: &Connection, subscription: Option<i64>) -> rusqlite::Result<bool> {
    let of = subscription.map_or("?1 IS NULL", |_| "subscription = ?1");
    let sql = format!(
        "SELECT count(*) <= {MAX_ROWS_EXAMINED} FROM (SELECT 1 FROM deliveries INDEXED BY deliveries_due \
         WHERE state = 'pending' AND {of} LIMIT {MAX_ROWS_EXAMINED} + 1)"
    );
    connection.prepare_cached(&sql)?.query_row([subscription], |row| row.get(0))
}

fn under(
    connection: &Connection,
    index: &str,
    condition: &str,
    wanted: &Wanted,
    window: Window,
) -> rusqlite::Result<Vec<i64>> {
    let sql = format!(
        "SELECT seq FROM deliveries INDEXED BY {index} WHERE {condition} AND deliveries.seq < ?1 \
         AND (?2 IS NULL OR subscription = +?2) AND (?3 IS NULL OR order_seq = +?3) AND (?4 IS NULL OR state = +?4) \
         ORDER BY deliveries.seq DESC LIMIT ?5"
    );
    let state = wanted.state.map(DeliveryState::name);
    let parameters = params![window.before, wanted.subscription, wanted.order, state, window.rows()];
    all(connection.prepare_cached(&sql)?, parameters, |row| row.get(0))
}

/// Also answers how far it looked, if it did not come to the end.
fn among(
    connection: &Connection,
    wanted: &Wanted,
    window: Window,
) -> rusqlite::Result<(Vec<i64>, Option<i64>)> {
    let (index, of) = match wanted.subscription {
        Some(_) => ("INDEXED BY deliveries_by_subscription", "subscription = ?2"),
        None => ("NOT INDEXED", "?2 IS NULL"),
    };
    let sql = format!(
        "SELECT seq, state FROM deliveries {index} WHERE {of} AND seq < ?1 ORDER BY seq DESC LIMIT {MAX_ROWS_EXAMINED}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![window.before, wanted.subscription])?;
    let enough = usize::try_from(window.rows()).unwrap_or(usize::MAX);
    let (mut found, mut looked_at, mut last) = (Vec::new(), 0, None);
    while found.len() < enough
        && let Some(row) = rows.next()?
    {
        let (seq, state) = (row.get(0)?, row.get_ref(1)?);
        if wanted.state.is_none_or(|wanted| state.as_str().is_ok_and(|state| state == wanted.name())) {
            found.push(seq);
        }
        looked_at += 1;
        last = Some(seq);
    }
    Ok((found, last.filter(|_| looked_at == MAX_ROWS_EXAMINED)))
}
