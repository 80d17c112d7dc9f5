//! Recording what people do to deliveries.

use application::ports::InterventionKind;
use domain::Timestamp;
use rusqlite::{Connection, params};

use crate::columns::micros;

/// With the state that it puts an end to: the delivery's row is about to lose that.
const RECORD: &str = "INSERT INTO interventions (delivery, number, kind, at, state_before, since) \
     SELECT seq, 1 + coalesce((SELECT max(number) FROM interventions WHERE delivery = ?1), 0), ?2, ?3, state, at \
     FROM deliveries WHERE seq = ?1";

/// Records what is about to be done to each of these, which are given by their `seq`.
pub(crate) fn record(
    connection: &Connection,
    deliveries: &[i64],
    kind: InterventionKind,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut record = connection.prepare_cached(RECORD)?;
    for seq in deliveries {
        record.execute(params![seq, kind.name(), micros(now)])?;
    }
    Ok(())
}
