//! Pages of orders, which cost the same however many there are. Those of all orders run down the log, the last accepted
//! first. Those of a time run down the ids, which begin with their orders' milliseconds: the latest time first, and of
//! one millisecond in any order, but always in the same.
//!
//! A list of a time does not run down the log, since there is no index from one to the other, and one would cost each
//! order that is taken. Where no clock ever jumped, the two are the same but for those few that came at once. Where one
//! did, orders of the time may lie anywhere in the log, among any number of others: a page that ran down the log would
//! have to look at all of one side to leave none out. The ids need no such look, and who asks for a time sees it in the
//! order of its times. On AWS all lists are by id.

use application::Error;
use application::ports::{OrderQuery, Page};
use domain::order::{LoggedOrder, Order};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::micros;
use crate::failure::unreadable;
use crate::orders::time_span::Ids;
use crate::paging::{Listed, Window, invalid_cursor};
use crate::rows::{self, ORDER_COLUMNS, all};
use crate::unreadable::{Read, Table, Unreadable, read_row};

/// The most orders that one page of a time looks at to find its own. Only those of the first and of the last millisecond
/// can be others, a few dozen of each at any rate that a store takes; more where the clock stood still. A page that has
/// not found enough by then is short, and the next one goes on from there.
const MAX_ORDERS_EXAMINED: usize = 2_000;

/// A page, and those of its rows that cannot be read.
pub(crate) fn page(
    connection: &Connection,
    query: &OrderQuery,
    window: Window,
) -> Result<(Page<Order>, Vec<Unreadable>), Error> {
    if query.from.is_none() && query.to.is_none() {
        return Ok(window.page(newest(connection, window).map_err(unreadable)?));
    }
    let mut ids = Ids::of(query.from, query.to);
    if query.page.cursor.is_some() {
        let last = id_at(connection, window.before).map_err(unreadable)?.ok_or_else(invalid_cursor)?;
        ids.below = ids.below.min(last);
    }
    let (listed, looked_to) = of_a_time(connection, query, &ids, window).map_err(unreadable)?;
    let (page, unreadable_rows) = window.page(listed);
    let next = page.next.or_else(|| looked_to.map(|seq| seq.to_string()));
    Ok((Page { next, ..page }, unreadable_rows))
}

fn newest(connection: &Connection, window: Window) -> rusqlite::Result<Vec<Listed<Order>>> {
    let sql = format!("SELECT {ORDER_COLUMNS} FROM orders WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2");
    all(connection.prepare_cached(&sql)?, [window.before, window.rows()], listed)
}

/// The id at a place in the log, as it stands there.
fn id_at(connection: &Connection, seq: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT id FROM orders WHERE seq = ?")?
        .query_row([seq], |row| row.get(0))
        .optional()
}

/// Those with such ids that are of the time to the microsecond. Also answers how far it looked, if it did not come to
/// the end.
fn of_a_time(
    connection: &Connection,
    query: &OrderQuery,
    ids: &Ids,
    window: Window,
) -> rusqlite::Result<(Vec<Listed<Order>>, Option<i64>)> {
    let (from, to) = (query.from.map(micros), query.to.map(micros));
    let sql = format!(
        "SELECT {ORDER_COLUMNS} FROM orders WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT {MAX_ORDERS_EXAMINED}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![ids.least, ids.below])?;
    let enough = usize::try_from(window.rows()).unwrap_or(usize::MAX);
    let (mut found, mut looked_at, mut last) = (Vec::new(), 0, None);
    while found.len() < enough
        && let Some(row) = rows.next()?
    {
        let time: i64 = row.get("order_time")?;
        if from.is_none_or(|from| from <= time) && to.is_none_or(|to| time < to) {
            found.push(listed(row)?);
        }
        looked_at += 1;
        last = Some(row.get("order_seq")?);
    }
    Ok((found, last.filter(|_| looked_at == MAX_ORDERS_EXAMINED)))
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed<Order>> {
    let seq = row.get(0)?;
    let read: Read<LoggedOrder> = read_row(Table::Orders, seq, row, rows::order)?;
    Ok(Listed::of(seq, row, "order_id", read.map(|logged| logged.order)))
}
