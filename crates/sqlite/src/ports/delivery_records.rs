//! What became of deliveries.

use application::Error;
use application::ports::{
    DeliveryQuery, DeliveryRecord, DeliveryRecords, DropSelection, Page, RedriveSelection, RetrySelection,
    Story,
};
use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryState};
use domain::order::OrderId;
use domain::receipt::Receipt;
use rusqlite::{Connection, Params, params};

use super::{all, story};
use crate::Store;
use crate::apply::{Command, Place};
use crate::failure::unreadable;
use crate::paging::Window;
use crate::rows::{self, ATTEMPT_COLUMNS, DELIVERY_COLUMNS, INTERVENTION_COLUMNS, RECEIPT_COLUMNS};
use crate::schema::RARE_STATES;

#[async_trait]
impl DeliveryRecords for Store {
    async fn story(&self, order: OrderId) -> Result<Option<Story>, Error> {
        self.read(move |connection| story::story(connection, order).map_err(unreadable)).await
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
        self.read(move |connection| page(connection, &query, window).map_err(unreadable)).await
    }

    async fn redrive(&self, selection: RedriveSelection, now: Timestamp) -> Result<usize, Error> {
        let (state, filter) = match selection {
            RedriveSelection::One(id) => {
                return Ok(self.write(Command::Redrive { id, now }).await?.counted()?.0);
            }
            RedriveSelection::Many { state, filter } => (state, Box::new(filter)),
        };
        let command = |after| Command::RedriveMany { state, filter: filter.clone(), after, now };
        self.change_many(command).await
    }

    async fn retry(&self, selection: RetrySelection, now: Timestamp) -> Result<usize, Error> {
        match selection {
            RetrySelection::One(id) => Ok(self.write(Command::Retry { id, now }).await?.counted()?.0),
            RetrySelection::Pending(filter) => {
                let filter = Box::new(filter);
                let command = |after| Command::RetryPending { filter: filter.clone(), after, now };
                self.change_pending(command).await
            }
        }
    }

    async fn drop_deliveries(&self, selection: DropSelection, now: Timestamp) -> Result<usize, Error> {
        match selection {
            DropSelection::One(id) => Ok(self.write(Command::Drop { id, now }).await?.counted()?.0),
            DropSelection::Pending(filter) => {
                let filter = Box::new(filter);
                let command = |after| Command::DropPending { filter: filter.clone(), after, now };
                self.change_pending(command).await
            }
            DropSelection::Held(filter) => {
                let filter = Box::new(filter);
                self.change_many(|after| Command::DropHeld { filter: filter.clone(), after, now }).await
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
        self.write(Command::Receipt { id, attempt, receipt, now }).await?.done()
    }
}

impl Store {
    /// Gives one command after another, each from the place where the one before ended; answers how many they changed.
    async fn change_many(&self, command: impl Fn(i64) -> Command) -> Result<usize, Error> {
        let (mut changed, mut next) = (0, Some(0));
        while let Some(after) = next {
            let count;
            (count, next) = self.write(command(after)).await?.counted()?;
            changed += count;
        }
        Ok(changed)
    }

    /// As [`change_many`](Self::change_many), through what is pending.
    async fn change_pending(&self, command: impl Fn(Place) -> Command) -> Result<usize, Error> {
        let (mut changed, mut next) = (0, Some(Place::START));
        while let Some(after) = next {
            let count;
            (count, next) = self.write(command(after)).await?.counted_pending()?;
            changed += count;
        }
        Ok(changed)
    }
}

fn page(
    connection: &Connection,
    query: &DeliveryQuery,
    window: Window,
) -> rusqlite::Result<Page<DeliveryRecord>> {
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
    let found = records(connection, &condition, params![window.before, subscription, order, window.rows()])?;
    Ok(window.page(found))
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

/// The deliveries that a condition selects, each with its `seq` and all that happened to it.
pub(super) fn records(
    connection: &Connection,
    condition: &str,
    parameters: impl Params,
) -> rusqlite::Result<Vec<(i64, DeliveryRecord)>> {
    let sql = format!(
        "SELECT {DELIVERY_COLUMNS} FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription \
         LEFT JOIN orders ON orders.seq = deliveries.order_seq WHERE {condition}"
    );
    let mut found = all(connection.prepare_cached(&sql)?, parameters, |row| {
        Ok((row.get("delivery_seq")?, rows::delivery(row)?))
    })?;
    let attempts = format!("SELECT {ATTEMPT_COLUMNS} FROM attempts WHERE delivery = ? ORDER BY number");
    let receipts = format!("SELECT {RECEIPT_COLUMNS} FROM receipts WHERE delivery = ? ORDER BY number");
    let interventions =
        format!("SELECT {INTERVENTION_COLUMNS} FROM interventions WHERE delivery = ? ORDER BY number");
    for (seq, record) in &mut found {
        record.attempts = all(connection.prepare_cached(&attempts)?, [*seq], rows::attempt)?;
        record.receipts = all(connection.prepare_cached(&receipts)?, [*seq], rows::receipt)?;
        record.interventions = all(connection.prepare_cached(&interventions)?, [*seq], rows::intervention)?;
    }
    Ok(found)
}
