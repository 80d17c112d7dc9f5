//! Holding everything that is pending in a store that was restored: whoever was told since the backup would be told
//! again.

use application::ports::InterventionKind;
use domain::Timestamp;
use rusqlite::{Connection, params};

use crate::columns::micros;
use crate::delivery_queue::attempts::WHY_POINTLESS;
use crate::delivery_queue::next_due::refresh_all;
use crate::failure::Failure;

const UNFINISHED: &str = "state IN ('pending', 'in_flight')";
const REPLY: &str = "The store was restored from a backup that was made before an answer came";

/// Holds every pending delivery after a restore. It does not escalate: it may have been delivered in time. What nobody
/// would be sent again is cancelled and not held.
pub(crate) fn hold_pending(connection: &Connection, now: Timestamp) -> Result<usize, Failure> {
    let settle = "UPDATE attempts SET ended_at = ?, outcome = 'unknown', reply = ? WHERE ended_at IS NULL";
    connection.execute(settle, params![micros(now), REPLY])?;
    let why = &*WHY_POINTLESS;
    let cancel = format!(
        "UPDATE deliveries SET state = 'cancelled', cancel_reason = {why}, at = ?, escalates_at = NULL \
         WHERE {UNFINISHED} AND {why} IS NOT NULL"
    );
    connection.execute(&cancel, [micros(now)])?;
    let record = format!(
        "INSERT INTO interventions (delivery, number, kind, at, state_before, since) \
         SELECT seq, 1 + coalesce((SELECT max(number) FROM interventions WHERE delivery = seq), 0), ?, ?, 'pending', at \
         FROM deliveries WHERE {UNFINISHED}"
    );
    connection.execute(&record, params![InterventionKind::Restored.name(), micros(now)])?;
    let hold =
        format!("UPDATE deliveries SET state = 'held', at = ?, escalates_at = NULL WHERE {UNFINISHED}");
    let count = connection.execute(&hold, [micros(now)])?;
    refresh_all(connection)?;
    Ok(count)
}
