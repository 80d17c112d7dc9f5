//! Orders' statuses: each follows from the changes on record, one after the other.

use domain::order::{OrderId, OrderStatus};
use rusqlite::Connection;

use super::exception::{Exception, ExceptionKind, Findings};
use crate::columns::uuid;
use crate::orders::status::numbered;

const CHANGES: &str = "SELECT order_seq, number, status, at, who, link_to, orders.id FROM status_changes \
     LEFT JOIN orders ON orders.seq = order_seq ORDER BY order_seq, number";

pub(super) fn check(snapshot: &Connection, findings: &mut Findings<'_>) -> rusqlite::Result<()> {
    let mut statement = snapshot.prepare(CHANGES)?;
    let mut changes = statement.query(())?;
    let (mut of, mut before) = (None, (0, OrderStatus::New));
    while let Some(row) = changes.next()? {
        let place: i64 = row.get("order_seq")?;
        let order = uuid(row, "id").ok().map(OrderId);
        if of.replace(place) != Some(place) {
            before = (0, OrderStatus::New);
        }
        let wrong = match numbered(row) {
            _ if order.is_none() => Some("its order is gone".to_owned()),
            Err(error) => Some(error.to_string()),
            Ok((number, change)) => {
                let (last, status) = before;
                before = (number, change.status);
                let is_next = number == last + 1 && status.leads_to(change.status);
                (!is_next).then(|| {
                    format!("it is change {number}, to {}, after {last}, to {status}", change.status)
                })
            }
        };
        if let Some(wrong) = wrong {
            let wrong = format!("a change of the status of the order (place {place}) cannot be: {wrong}");
            findings.add(Exception::new(ExceptionKind::StatusUnexplained, wrong).order(order));
        }
    }
    Ok(())
}
