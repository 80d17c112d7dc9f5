//! Giving up a delivery that is held.

use application::ports::InterventionKind;
use application::{Error, ErrorKind};
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState};
use rusqlite::{Connection, OptionalExtension};

use super::{Answer, interventions};
use crate::columns::{self, micros};
use crate::failure::Failure;

const CANCEL: &str = "UPDATE deliveries SET state = 'cancelled', cancel_reason = 'dropped', at = ?2, \
     escalates_at = NULL WHERE seq = ?1";

pub(super) fn drop_held(connection: &Connection, id: DeliveryId, now: Timestamp) -> Result<Answer, Failure> {
    let found = connection
        .prepare_cached("SELECT seq, state FROM deliveries WHERE id = ?")?
        .query_row([id.0.as_bytes()], |row| {
            let state = columns::named(row, "state", &DeliveryState::ALL, DeliveryState::name)?;
            Ok((row.get::<_, i64>("seq")?, state))
        })
        .optional()?;
    let (seq, state) = found.ok_or_else(|| Error::not_found("delivery_not_found", "delivery"))?;
    if state != DeliveryState::Held {
        let message = format!("The delivery is {state}: only one that is held can be dropped");
        return Err(Error::new(ErrorKind::Conflict, "not_held", message).into());
    }
    interventions::record(connection, &[seq], InterventionKind::Dropped, now)?;
    connection.prepare_cached(CANCEL)?.execute([seq, micros(now)])?;
    Ok(Answer::Done)
}
