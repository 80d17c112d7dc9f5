//! What became of deliveries.

use application::Error;
use application::ports::{
    Bystanders, DeliveryQuery, DeliveryRecord, DeliveryRecords, Page, PageRequest, RedriveSelection, Story,
};
use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryId, DeliveryState};
use domain::order::OrderId;
use domain::receipt::Receipt;
use domain::subscription::SubscriptionState;
use rusqlite::{Connection, Params, Row};

use super::{all, delivery_pages, story};
use crate::Store;
use crate::apply::{Command, Selection};
use crate::columns;
use crate::failure::unreadable;
use crate::paging::Window;
use crate::rows::{self, ATTEMPT_COLUMNS, DELIVERY_COLUMNS, INTERVENTION_COLUMNS, RECEIPT_COLUMNS};

#[async_trait]
impl DeliveryRecords for Store {
    async fn story(&self, order: OrderId) -> Result<Option<Story>, Error> {
        self.read(move |connection| story::story(connection, order)).await
    }

    async fn bystanders(&self, order: OrderId, page: PageRequest) -> Result<Option<Bystanders>, Error> {
        let window = Window::of(&page)?;
        self.read(move |connection| story::bystanders(connection, order, window)).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, Error> {
        self.read(move |connection| {
            let found = records(connection, "deliveries.id = ?", [id.0.as_bytes()]).map_err(unreadable)?;
            Ok(found.into_iter().next().map(|(_, record)| record))
        })
        .await
    }

    async fn deliveries(&self, query: DeliveryQuery) -> Result<Page<DeliveryRecord>, Error> {
        let window = Window::of(&query.page)?;
        self.read(move |connection| delivery_pages::page(connection, &query, window).map_err(unreadable))
            .await
    }

    async fn redrive(&self, selection: RedriveSelection, now: Timestamp) -> Result<usize, Error> {
        let selection = match selection {
            RedriveSelection::One(id) => {
                return Ok(self.write(Command::Redrive { id, now }).await?.counted()?.0);
            }
            RedriveSelection::Many { state, subscription, protocol, from, before } => {
                Box::new(Selection { state, subscription, protocol, from, before })
            }
        };
        let (mut redriven, mut next) = (0, Some(0));
        while let Some(after) = next {
            let command = Command::RedriveMany { selection: selection.clone(), after, now };
            let count;
            (count, next) = self.write(command).await?.counted()?;
            redriven += count;
        }
        Ok(redriven)
    }

    async fn drop_held(&self, id: DeliveryId, now: Timestamp) -> Result<(), Error> {
        self.write(Command::DropHeld { id, now }).await?.done()
    }

    async fn receipt(
        &self,
        id: DeliveryId,
        attempt: u32,
        receipt: Receipt,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(Command::Receipt { id, attempt, receipt, now }).await?.done()
    }
}

/// The deliveries that a condition selects, each with its `seq` and all that happened to it.
pub(super) fn records(
    connection: &Connection,
    condition: &str,
    parameters: impl Params,
) -> rusqlite::Result<Vec<(i64, DeliveryRecord)>> {
    let sql = format!(
        "SELECT {DELIVERY_COLUMNS}, retry_at, ended_at FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription \
         LEFT JOIN orders ON orders.seq = deliveries.order_seq WHERE {condition}"
    );
    let mut found = all(connection.prepare_cached(&sql)?, parameters, |row| {
        Ok((row.get("delivery_seq")?, with_its_subscription(row, rows::delivery(row)?)?))
    })?;
    for (seq, record) in &mut found {
        record.attempts = history(connection, ATTEMPT_COLUMNS, "attempts", *seq, rows::attempt)?;
        record.receipts = history(connection, RECEIPT_COLUMNS, "receipts", *seq, rows::receipt)?;
        record.interventions =
            history(connection, INTERVENTION_COLUMNS, "interventions", *seq, rows::intervention)?;
    }
    Ok(found)
}

/// The newest rows of a table that tells what happened to a delivery, oldest first.
fn history<T>(
    connection: &Connection,
    columns: &str,
    table: &str,
    delivery: i64,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let newest = DeliveryRecord::HISTORY;
    let sql = format!("SELECT {columns} FROM {table} WHERE delivery = ? ORDER BY number DESC LIMIT {newest}");
    let mut rows = all(connection.prepare_cached(&sql)?, [delivery], read)?;
    rows.reverse();
    Ok(rows)
}

/// What waits for a subscription that ended is as good as cancelled, though its row is still to follow; and what waits for
/// an endpoint that is left alone is not tried before that is over.
fn with_its_subscription(row: &Row<'_>, mut record: DeliveryRecord) -> rusqlite::Result<DeliveryRecord> {
    if record.state != DeliveryState::Pending {
        return Ok(record);
    }
    if record.subscription_state == SubscriptionState::Ended {
        record.state = DeliveryState::Cancelled;
        record.cancel_reason = Some(CancelReason::SubscriptionEnded);
        record.at = columns::time_or_none(row, "ended_at")?.unwrap_or(record.at);
    } else if let Some(retry_at) = columns::time_or_none(row, "retry_at")? {
        record.at = record.at.max(retry_at);
    }
    Ok(record)
}
