//! What lists say of each of their rows: a bounded look at what became of it.

use application::ports::DeliveryProgress;
use domain::order::{OrderId, Seq};
use domain::subscription::SubscriptionId;
use rusqlite::{Connection, OptionalExtension};

use crate::deliveries::order_history;
use crate::deliveries::{Records, records};

/// The newest confirmation request of each subscription.
pub(crate) fn confirmation_requests(
    connection: &Connection,
    of: &[SubscriptionId],
) -> rusqlite::Result<Records> {
    let newest = "deliveries.seq = (SELECT max(asked.seq) FROM deliveries asked WHERE asked.kind = 'confirmation' \
                  AND asked.subscription = (SELECT seq FROM subscriptions WHERE id = ?))";
    let mut found = Records::default();
    for id in of {
        found.extend(records(connection, newest, [id.0.as_bytes()])?);
    }
    Ok(found)
}

/// How far the delivery of each order has come. All together look at [`DeliveryProgress::COUNTED`] deliveries at most.
pub(crate) fn delivery_progress(
    connection: &Connection,
    of: &[OrderId],
) -> rusqlite::Result<Vec<DeliveryProgress>> {
    let share = DeliveryProgress::COUNTED / of.len().max(1);
    of.iter().map(|id| delivery_progress_of(connection, *id, share)).collect()
}

fn delivery_progress_of(
    connection: &Connection,
    id: OrderId,
    share: usize,
) -> rusqlite::Result<DeliveryProgress> {
    let mut statement = connection.prepare_cached("SELECT seq FROM orders WHERE id = ?")?;
    let seq = statement.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?;
    let Some(seq) = seq.map(Seq) else {
        return Ok(DeliveryProgress { is_whole: true, ..DeliveryProgress::default() });
    };
    let counts = order_history::counts(connection, seq, share)?;
    let counted: usize = counts.iter().map(|(_, count)| count).sum();
    Ok(DeliveryProgress {
        published: order_history::published(connection, seq)?,
        counts,
        is_whole: counted < share,
    })
}
