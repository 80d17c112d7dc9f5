//! An order's row.

use std::time::Duration;

use domain::Timestamp;
use domain::order::{LoggedOrder, Order, OrderId, Seq};
use rusqlite::{Connection, Row};

use crate::columns;

/// What [`order`] reads of the table `orders`; a query names these columns first.
pub(crate) const ORDER_COLUMNS: &str =
    "orders.seq AS order_seq, orders.id AS order_id, order_time, body, request_id";

/// The order in a row that begins with [`ORDER_COLUMNS`]. It reads them by their places: the relay reads every order,
/// and looking columns up by name takes longer than reading them.
pub(crate) fn order(row: &Row<'_>) -> rusqlite::Result<LoggedOrder> {
    let order = Order {
        id: OrderId(columns::uuid(row, 1)?),
        time: columns::time(row, 2)?,
        details: columns::json(row, 3)?,
        request_id: row.get(4)?,
    };
    Ok(LoggedOrder { seq: Seq(row.get(0)?), order })
}

const MILLISECOND: Duration = Duration::from_millis(1);

/// The first and the last place of the orders of a time; between them may lie others, where a clock jumped. The last is
/// before the first if there is none.
pub(crate) fn span(
    connection: &Connection,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> rusqlite::Result<(i64, i64)> {
    if from.is_none() && to.is_none() {
        return Ok((0, i64::MAX));
    }
    // Ids begin with the milliseconds of their orders' times, of which the first and the last may hold some of the time
    // and some not; before 1970 all begin with 0.
    let least = from.map_or([0; 16], |from| *OrderId::least_at(from).0.as_bytes());
    let after = to.and_then(|to| to.max(Timestamp::UNIX_EPOCH).checked_add(MILLISECOND).ok());
    let most = after.map_or([u8::MAX; 16], |after| *OrderId::least_at(after).0.as_bytes());
    let sql = "SELECT coalesce(min(seq), 0), coalesce(max(seq), -1) FROM orders WHERE id >= ? AND id <= ?";
    connection.prepare_cached(sql)?.query_row([least, most], |row| Ok((row.get(0)?, row.get(1)?)))
}
