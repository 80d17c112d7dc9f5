//! An order's row.

use domain::order::{LoggedOrder, Order, OrderId, Seq};
use rusqlite::Row;

use crate::columns;

/// What [`order`] reads of the table `orders`, without what idempotency needs.
pub(crate) const ORDER_COLUMNS: &str =
    "orders.seq AS order_seq, orders.id AS order_id, order_time, body, request_id";

/// The order in a row that has [`ORDER_COLUMNS`].
pub(crate) fn order(row: &Row<'_>) -> rusqlite::Result<LoggedOrder> {
    let order = Order {
        id: OrderId(columns::uuid(row, "order_id")?),
        time: columns::time(row, "order_time")?,
        details: columns::read(row, "body", |body: String| serde_json::from_str(&body))?,
        request_id: row.get("request_id")?,
    };
    Ok(LoggedOrder { seq: Seq(row.get("order_seq")?), order })
}
