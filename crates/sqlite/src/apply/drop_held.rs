//! Giving up a delivery that is held.

use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState};
use rusqlite::{Connection, OptionalExtension, params};

use super::Answer;
use crate::columns::{self, micros};
use crate::failure::Failure;

const CANCEL: &str = "UPDATE deliveries SET state = 'cancelled', at = ?2, escalates_at = NULL \
     WHERE id = ?1 AND state = 'held'";

pub(super) fn drop_held(connection: &Connection, id: DeliveryId, now: Timestamp) -> Result<Answer, Failure> {
    let state = connection
        .prepare_cached("SELECT state FROM deliveries WHERE id = ?")?
        .query_row([id.0.as_bytes()], |row| {
            columns::named(row, "state", &DeliveryState::ALL, DeliveryState::name)
        })
        .optional()?;
    let state = state.ok_or_else(|| Error::not_found("delivery_not_found", "delivery"))?;
    if state != DeliveryState::Held {
        let message = format!("The delivery is {state}: only one that is held can be dropped");
        return Err(Error::new(ErrorKind::Conflict, "not_held", message).into());
    }
    connection.prepare_cached(CANCEL)?.execute(params![id.0.as_bytes(), micros(now)])?;
    Ok(Answer::Done)
}
