//! Quarantining rows that cannot be read: everything else goes on around them, and what depends on them waits.

use std::collections::HashSet;

use application::Error;
use domain::Timestamp;
use rusqlite::{Connection, params};

use crate::Store;
use crate::columns::micros;
use crate::delivery_queue::next_due::refresh_each;
use crate::failure::{Failure, unreadable as unread};
use crate::unreadable::{Table, Unreadable};
use crate::write::Transaction;

/// How many deliveries of a subscription are held back at once, so that new orders need not wait for it. Those left are
/// found again by who looks for what is due.
const MAX_DELIVERIES_AT_ONCE: i64 = 1_000;

const INSERT_ROW: &str =
    "INSERT INTO quarantine (of_table, row, reason, since) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
const QUARANTINE_OF_ORDER: &str = "UPDATE deliveries SET quarantined = 1 \
     WHERE order_seq = ?1 AND state = 'pending' AND quarantined = 0";
const QUARANTINE_OF_SUBSCRIPTION: &str = "UPDATE deliveries SET quarantined = 1 WHERE seq IN (SELECT seq FROM deliveries \
     WHERE subscription = ?1 AND state = 'pending' AND quarantined = 0 LIMIT ?2)";
/// Quarantines a delivery, unless it is over.
const QUARANTINE_DELIVERY: &str = "UPDATE deliveries SET quarantined = 1 WHERE seq = ?1 AND quarantined = 0 \
     AND state NOT IN ('in_flight', 'delivered', 'sandboxed', 'held', 'dead', 'cancelled')";

/// Ends an attempt as unknown, as recovery does with one that can be read.
const END_ATTEMPT: &str = "UPDATE attempts SET ended_at = ?2, outcome = 'unknown', \
     reply = 'The program stopped before an answer came' WHERE delivery = ?1 AND ended_at IS NULL";
const RETURN_TO_PENDING: &str = "UPDATE deliveries SET state = 'pending', at = ?2, quarantined = 1 WHERE seq = ?1 AND state = 'in_flight'";

pub(crate) fn quarantine(
    connection: &Connection,
    rows: &[Unreadable],
    now: Timestamp,
) -> Result<(), Failure> {
    // Whatever needs a row meets it: an order that matches thousands comes a thousand times.
    let mut seen = HashSet::new();
    for row in rows.iter().filter(|row| seen.insert((row.table, row.row))) {
        quarantine_row(connection, row, now)?;
    }
    Ok(())
}

/// Quarantines a row and holds back what needs it; its reason is logged once.
pub(crate) fn quarantine_row(
    connection: &Connection,
    unreadable: &Unreadable,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let Unreadable { table, row, reason } = unreadable;
    let is_new =
        connection.prepare_cached(INSERT_ROW)?.execute(params![table.name(), row, reason, micros(now)])?;
    if is_new > 0 {
        metrics::gauge!("orderbell_rows_quarantined").increment(1);
        tracing::error!(
            table = table.name(),
            row,
            reason,
            "a row cannot be read and is quarantined until it is mended"
        );
    }
    match table {
        Table::Orders => connection.prepare_cached(QUARANTINE_OF_ORDER)?.execute([row])?,
        Table::Subscriptions => {
            connection.prepare_cached(QUARANTINE_OF_SUBSCRIPTION)?.execute([*row, MAX_DELIVERIES_AT_ONCE])?
        }
        Table::Deliveries => connection.prepare_cached(QUARANTINE_DELIVERY)?.execute([row])?,
        _ => return Ok(()),
    };
    refresh_each(connection, dependent_subscriptions(connection, *table, *row)?)
}

/// The subscriptions with deliveries that depend on the row.
pub(crate) fn dependent_subscriptions(
    connection: &Connection,
    table: Table,
    row: i64,
) -> rusqlite::Result<Vec<i64>> {
    let sql = match table {
        Table::Orders => "SELECT subscription FROM deliveries WHERE order_seq = ?",
        Table::Deliveries => "SELECT subscription FROM deliveries WHERE seq = ?",
        Table::Subscriptions | Table::SubscriptionVersions => return Ok(vec![row]),
        _ => return Ok(Vec::new()),
    };
    connection.prepare_cached(sql)?.query_map([row], |row| row.get(0))?.collect()
}

/// Ends the attempts that the last process left open at deliveries that cannot be decided about, as unknown; the
/// deliveries stay pending until what hides them is mended.
pub(crate) fn return_interrupted(
    connection: &Connection,
    deliveries: &[(i64, Unreadable)],
    now: Timestamp,
) -> Result<(), Failure> {
    for (delivery, unreadable) in deliveries {
        connection.prepare_cached(END_ATTEMPT)?.execute([*delivery, micros(now)])?;
        connection.prepare_cached(RETURN_TO_PENDING)?.execute([*delivery, micros(now)])?;
        quarantine_row(connection, unreadable, now)?;
    }
    Ok(())
}

impl Store {
    /// Quarantines rows that were met on the way, before anything goes on around them.
    pub(crate) async fn quarantine_rows(&self, rows: Vec<Unreadable>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let (weight, now) = (rows.len(), self.options.clock.now());
        let quarantine = move |transaction: &mut Transaction<'_>| {
            transaction.effects.deliveries = true;
            quarantine(transaction.connection, &rows, now)
        };
        self.write(weight, quarantine).await
    }

    /// As [`read`](Self::read), where `read` also gives the rows that it could not: they are quarantined. Whoever only
    /// wants to see is not told where that fails.
    pub(crate) async fn read_quarantining<T, F>(&self, read: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<(T, Vec<Unreadable>), Error> + Send + 'static,
    {
        let read = move |connection: &Connection| {
            let (found, unreadable) = read(connection)?;
            Ok((found, not_yet_quarantined(connection, unreadable)?))
        };
        let (found, unreadable) = self.read(read).await?;
        if let Err(error) = self.quarantine_rows(unreadable).await {
            tracing::warn!(%error, cause = error.cause(), "rows that cannot be read could not be quarantined");
        }
        Ok(found)
    }
}

/// Those that are not quarantined yet: whoever sees the others again has nothing to write.
fn not_yet_quarantined(connection: &Connection, rows: Vec<Unreadable>) -> Result<Vec<Unreadable>, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM quarantine WHERE of_table = ? AND row = ?)";
    let mut new = Vec::new();
    for row in rows {
        let mut known = connection.prepare_cached(sql).map_err(unread)?;
        if !known
            .query_row(params![row.table.name(), row.row], |row| row.get::<_, bool>(0))
            .map_err(unread)?
        {
            new.push(row);
        }
    }
    Ok(new)
}
