//! What became of deliveries.

pub(crate) mod drop;
pub(crate) mod interventions;
pub(crate) mod order_history;
pub(crate) mod pages;
pub(crate) mod redrive;
pub(crate) mod retry;

use application::Error;
use application::ports::{
    Deliveries, DeliveryProgress, DeliveryQuery, DeliveryRecord, DropSelection, OrderHistory, Page,
    PageRequest, RedriveSelection, RetrySelection, StoreCounts, UnmatchedSubscriptions,
};
use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryId, DeliveryState};
use domain::order::OrderId;
use domain::receipt::Receipt;
use domain::subscription::{SubscriptionId, SubscriptionState};
use rusqlite::{Connection, Params, Row};

use crate::deliveries::drop::{drop_held, drop_one, drop_pending};
use crate::deliveries::interventions::PendingCursor;
use crate::deliveries::redrive::{redrive, redrive_many};
use crate::deliveries::retry::{retry, retry_pending};
use crate::failure::unreadable;
use crate::paging::{Listed, Window};
use crate::receipts::record as record_receipt;
use crate::rows::{
    self, ATTEMPT_COLUMNS, DELIVERY_COLUMNS, DELIVERY_JOINS, INTERVENTION_COLUMNS, RECEIPT_COLUMNS, all, sift,
};
use crate::unreadable::{Table, Unreadable, read_row};
use crate::write::Transaction;
use crate::{Store, columns, store_counts};

#[async_trait]
impl Deliveries for Store {
    async fn order_history(&self, order: OrderId) -> Result<Option<OrderHistory>, Error> {
        let read = move |connection: &Connection| {
            let (history, unreadable) = order_history::order_history(connection, order)?.unzip();
            Ok((history, unreadable.unwrap_or_default()))
        };
        self.read_quarantining(read).await
    }

    async fn unmatched_subscriptions(
        &self,
        order: OrderId,
        page: PageRequest,
    ) -> Result<Option<UnmatchedSubscriptions>, Error> {
        let window = Window::of(&page)?;
        let read = move |connection: &Connection| {
            let found = order_history::unmatched_subscriptions(connection, order, window)?;
            let (unmatched, unreadable) = found.unzip();
            Ok((unmatched, unreadable.unwrap_or_default()))
        };
        self.read_quarantining(read).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, Error> {
        let read = move |connection: &Connection| {
            let found = records(connection, "deliveries.id = ?", [id.0.as_bytes()]).map_err(unreadable)?;
            Ok((found.listed, found.beside))
        };
        let found = self.read_quarantining(read).await?;
        Ok(found.into_iter().next().map(|listed| listed.read).transpose()?)
    }

    async fn deliveries(&self, query: DeliveryQuery) -> Result<Page<DeliveryRecord>, Error> {
        let window = Window::of(&query.page)?;
        let read = move |connection: &Connection| pages::page(connection, &query, window).map_err(unreadable);
        self.read_quarantining(read).await
    }

    async fn confirmation_requests(&self, of: Vec<SubscriptionId>) -> Result<Vec<DeliveryRecord>, Error> {
        let read = move |connection: &Connection| {
            let found = order_history::confirmation_requests(connection, &of).map_err(unreadable)?;
            Ok((found.listed, found.beside))
        };
        let found = self.read_quarantining(read).await?;
        Ok(found.into_iter().filter_map(|listed| listed.read.ok()).collect())
    }

    async fn delivery_progress(&self, of: Vec<OrderId>) -> Result<Vec<DeliveryProgress>, Error> {
        self.read(move |connection| order_history::delivery_progress(connection, &of).map_err(unreadable))
            .await
    }

    async fn redrive(&self, selection: RedriveSelection, now: Timestamp) -> Result<usize, Error> {
        match selection {
            RedriveSelection::One(id) => {
                self.write_change(move |transaction| redrive(transaction.connection, id, now)).await
            }
            RedriveSelection::Many { state, filter } => {
                let redrive = move |transaction: &mut Transaction<'_>, after| {
                    let redriven = redrive_many(transaction.connection, (state, &filter), after, now)?;
                    transaction.effects.deliveries |= redriven.count > 0;
                    Ok(redriven)
                };
                self.write_parts(0, redrive).await
            }
        }
    }

    async fn retry(&self, selection: RetrySelection, now: Timestamp) -> Result<usize, Error> {
        match selection {
            RetrySelection::One(id) => {
                let retry = move |transaction: &mut Transaction<'_>| {
                    transaction.effects.pauses_lifted = true;
                    retry(transaction.connection, id, now)
                };
                self.write_change(retry).await
            }
            RetrySelection::Pending(filter) => {
                let retry = move |transaction: &mut Transaction<'_>, after| {
                    let retried = retry_pending(transaction.connection, &filter, after, now)?;
                    transaction.effects.deliveries |= retried.count > 0;
                    transaction.effects.pauses_lifted = true;
                    Ok(retried)
                };
                self.write_parts(PendingCursor::START, retry).await
            }
        }
    }

    async fn drop_deliveries(&self, selection: DropSelection, now: Timestamp) -> Result<usize, Error> {
        match selection {
            DropSelection::One(id) => {
                self.write(1, move |transaction| drop_one(transaction.connection, id, now)).await
            }
            DropSelection::Pending(filter) => {
                let drop = move |transaction: &mut Transaction<'_>, after| {
                    drop_pending(transaction.connection, &filter, after, now)
                };
                self.write_parts(PendingCursor::START, drop).await
            }
            DropSelection::Held(filter) => {
                let drop = move |transaction: &mut Transaction<'_>, after| {
                    drop_held(transaction.connection, &filter, after, now)
                };
                self.write_parts(0, drop).await
            }
        }
    }

    async fn receipt(
        &self,
        id: DeliveryId,
        attempt: u32,
        receipt: Receipt,
        now: Timestamp,
    ) -> Result<(), Error> {
        let record = move |transaction: &mut Transaction<'_>| {
            record_receipt(transaction.connection, transaction.effects, (id, attempt), &receipt, now)
        };
        self.write(1, record).await
    }

    async fn store_counts(&self, now: Timestamp) -> Result<StoreCounts, Error> {
        self.read(move |connection| store_counts::store_counts(connection, now).map_err(unreadable)).await
    }
}

/// Deliveries, each with all that happened to it.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) listed: Vec<Listed<DeliveryRecord>>,
    /// What happened to them and cannot be read.
    pub(crate) beside: Vec<Unreadable>,
}

impl Records {
    pub(crate) fn extend(&mut self, more: Self) {
        self.listed.extend(more.listed);
        self.beside.extend(more.beside);
    }
}

/// The deliveries that a condition selects.
pub(crate) fn records(
    connection: &Connection,
    condition: &str,
    parameters: impl Params,
) -> rusqlite::Result<Records> {
    let sql =
        format!("SELECT {DELIVERY_COLUMNS}, retry_at, ended_at FROM {DELIVERY_JOINS} WHERE {condition}");
    let mut listed = all(connection.prepare_cached(&sql)?, parameters, |row| {
        let read = rows::delivery(row)?.map(|record| with_its_subscription(row, record));
        Ok(Listed::of(row.get("delivery_seq")?, row, "delivery_id", read))
    })?;
    let mut beside = Vec::new();
    for Listed { seq, read, .. } in &mut listed {
        let Ok(record) = read else { continue };
        let attempts = history(connection, *seq, Table::Attempts, ATTEMPT_COLUMNS, rows::attempt)?;
        let receipts = history(connection, *seq, Table::Receipts, RECEIPT_COLUMNS, rows::receipt)?;
        let interventions =
            history(connection, *seq, Table::Interventions, INTERVENTION_COLUMNS, rows::intervention)?;
        (record.attempts, record.receipts, record.interventions) = (attempts.0, receipts.0, interventions.0);
        let unreadable = [attempts.1, receipts.1, interventions.1].concat();
        record.unreadable = unreadable.iter().map(|row| row.listed(None)).collect();
        beside.extend(unreadable);
    }
    Ok(Records { listed, beside })
}

/// The newest rows of a table that tells what happened to a delivery, oldest first; and those that cannot be read.
fn history<T>(
    connection: &Connection,
    delivery: i64,
    table: Table,
    columns: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<(Vec<T>, Vec<Unreadable>)> {
    let (name, newest) = (table.name(), DeliveryRecord::HISTORY);
    let sql = format!("SELECT {columns} FROM {name} WHERE delivery = ? ORDER BY number DESC LIMIT {newest}");
    let mut found =
        sift(connection.prepare_cached(&sql)?, [delivery], |row| read_row(table, delivery, row, read))?;
    found.0.reverse();
    Ok(found)
}

/// What waits for a subscription that ended is as good as cancelled, though its row is still to follow; and what waits
/// for an endpoint that is left alone is not tried before that is over.
fn with_its_subscription(row: &Row<'_>, mut record: DeliveryRecord) -> DeliveryRecord {
    let time = |column| columns::time_or_none(row, column).unwrap_or_default();
    if record.state != DeliveryState::Pending {
        return record;
    }
    if record.subscription_state == SubscriptionState::Ended {
        record.state = DeliveryState::Cancelled;
        record.cancel_reason = Some(CancelReason::SubscriptionEnded);
        record.at = time("ended_at").unwrap_or(record.at);
    } else if let Some(retry_at) = time("retry_at") {
        record.at = record.at.max(retry_at);
    }
    record
}
