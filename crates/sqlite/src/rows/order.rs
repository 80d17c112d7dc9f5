//! An order's row.

use domain::order::{LoggedOrder, Order, OrderId, Seq};
use rusqlite::Row;

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
