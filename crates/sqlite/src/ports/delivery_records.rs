//! What became of deliveries.

use application::Error;
use application::ports::{DeliveryQuery, DeliveryRecord, DeliveryRecords, Page, RedriveSelection, Story};
use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState};
use domain::order::OrderId;
use domain::receipt::Receipt;
use rusqlite::{Connection, Params, Row, Transaction, params};

use super::set_aside::new_ones;
use super::{all, sift, story};
use crate::Store;
use crate::apply::{Command, Selection};
use crate::failure::unreadable;
use crate::paging::{Listed, Window};
use crate::rows::{self, ATTEMPT_COLUMNS, DELIVERY_COLUMNS, INTERVENTION_COLUMNS, OWED, RECEIPT_COLUMNS};
use crate::schema::RARE_STATES;
use crate::unreadable::{Table, Unreadable, read_row};

#[async_trait]
impl DeliveryRecords for Store {
    async fn story(&self, order: OrderId) -> Result<Option<Story>, Error> {
        let read = move |connection: &Transaction<'_>| {
            let Some(found) = story::story(connection, order).map_err(unreadable)? else { return Ok(None) };
            let (story, senseless) = found?;
            Ok(Some((story, new_ones(connection, senseless)?)))
        };
        let Some((story, senseless)) = self.read(read).await? else { return Ok(None) };
        self.note_unreadable(senseless).await;
        Ok(Some(story))
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, Error> {
        let read = move |connection: &Transaction<'_>| {
            let found = records(connection, "deliveries.id = ?", [id.0.as_bytes()]).map_err(unreadable)?;
            Ok((found.listed, new_ones(connection, found.beside)?))
        };
        let (found, senseless) = self.read(read).await?;
        self.note_unreadable(senseless).await;
        Ok(found.into_iter().next().map(|listed| listed.read).transpose()?)
    }

    async fn deliveries(&self, query: DeliveryQuery) -> Result<Page<DeliveryRecord>, Error> {
        let window = Window::of(&query.page)?;
        let read = move |connection: &Transaction<'_>| {
            let found = listed(connection, &query, window).map_err(unreadable)?;
            let (page, mut senseless) = window.page(found.listed);
            senseless.extend(found.beside);
            Ok((page, new_ones(connection, senseless)?))
        };
        let (page, senseless) = self.read(read).await?;
        self.note_unreadable(senseless).await;
        Ok(page)
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

fn listed(connection: &Connection, query: &DeliveryQuery, window: Window) -> rusqlite::Result<Records> {
    let mut condition = "deliveries.seq < ?1".to_owned();
    if query.subscription.is_some() {
        condition += " AND deliveries.subscription = (SELECT seq FROM subscriptions WHERE id = ?2)";
    }
    if query.order.is_some() {
        condition += " AND deliveries.order_seq = (SELECT seq FROM orders WHERE id = ?3)";
    }
    condition += &in_state(query.state);
    condition += " ORDER BY deliveries.seq DESC LIMIT ?4";
    let subscription = query.subscription.map(|id| id.0.into_bytes());
    let order = query.order.map(|id| id.0.into_bytes());
    records(connection, &condition, params![window.before, subscription, order, window.rows()])
}

/// The state stands in the text, beside its index's own condition, so that SQLite can take that index.
fn in_state(state: Option<DeliveryState>) -> String {
    let Some(state) = state else { return String::new() };
    let name = state.name();
    match state {
        // What is pending may be little, and far back.
        DeliveryState::Pending => " AND deliveries.seq IN (SELECT waiting.seq FROM deliveries waiting \
             INDEXED BY deliveries_due WHERE waiting.state = 'pending')"
            .to_owned(),
        DeliveryState::Delivered => format!(" AND deliveries.state = '{name}'"),
        _ => format!(" AND {RARE_STATES} AND deliveries.state = '{name}'"),
    }
}

/// Deliveries, each with all that happened to it.
pub(super) struct Records {
    pub(super) listed: Vec<Listed<DeliveryRecord>>,
    /// What happened to them and cannot be read.
    pub(super) beside: Vec<Unreadable>,
}

/// The deliveries that a condition selects.
pub(super) fn records(
    connection: &Connection,
    condition: &str,
    parameters: impl Params,
) -> rusqlite::Result<Records> {
    let sql = format!("SELECT {DELIVERY_COLUMNS} FROM {OWED} WHERE {condition}");
    let mut listed = all(connection.prepare_cached(&sql)?, parameters, |row| {
        Ok(Listed::of(row.get("delivery_seq")?, row, "delivery_id", rows::delivery(row)?))
    })?;
    let mut beside = Vec::new();
    for Listed { seq, read, .. } in &mut listed {
        let Ok(record) = read else { continue };
        let attempts = of(connection, *seq, Table::Attempts, ATTEMPT_COLUMNS, rows::attempt)?;
        let receipts = of(connection, *seq, Table::Receipts, RECEIPT_COLUMNS, rows::receipt)?;
        let interventions =
            of(connection, *seq, Table::Interventions, INTERVENTION_COLUMNS, rows::intervention)?;
        (record.attempts, record.receipts, record.interventions) = (attempts.0, receipts.0, interventions.0);
        let senseless = [attempts.1, receipts.1, interventions.1].concat();
        record.unreadable = senseless.iter().map(|row| row.listed(None)).collect();
        beside.extend(senseless);
    }
    Ok(Records { listed, beside })
}

/// What happened to a delivery, by one of its tables.
fn of<T>(
    connection: &Connection,
    delivery: i64,
    table: Table,
    columns: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<(Vec<T>, Vec<Unreadable>)> {
    let sql = format!("SELECT {columns} FROM {} WHERE delivery = ? ORDER BY number", table.name());
    sift(connection.prepare_cached(&sql)?, [delivery], |row| read_row(table, delivery, row, read))
}
