//! Deliveries on their way.

use application::Error;
use application::ports::{DeliveryQueue, Due, DueQuery, Escalated, Finished, Intent, Interrupted};
use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::subscription::SubscriptionId;
use rusqlite::Row;

use super::{all, due};
use crate::Store;
use crate::apply::Command;
use crate::columns;
use crate::failure::unreadable;
use crate::rows::{self, SUBSCRIPTION_COLUMNS};
use crate::schema::RARE_STATES;

#[async_trait]
impl DeliveryQueue for Store {
    async fn due(&self, query: DueQuery) -> Result<Due, Error> {
        self.read(move |connection| due::due(connection, &query).map_err(unreadable)).await
    }

    async fn begin(&self, intents: Vec<Intent>) -> Result<Vec<DeliveryId>, Error> {
        self.write(Command::Begin(intents)).await?.begun()
    }

    async fn finish(&self, finished: Vec<Finished>) -> Result<Vec<SubscriptionId>, Error> {
        self.write(Command::Finish(finished)).await?.suspended()
    }

    async fn interrupted(&self) -> Result<Vec<Interrupted>, Error> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {SUBSCRIPTION_COLUMNS}, deliveries.id, kind, number, deliveries.spent {INTERRUPTED} \
                 AND {RARE_STATES} ORDER BY deliveries.seq"
            );
            connection.prepare_cached(&sql).and_then(|rows| all(rows, (), interrupted)).map_err(unreadable)
        })
        .await
    }

    async fn escalate(&self, now: Timestamp) -> Result<Escalated, Error> {
        self.write(Command::Escalate { now }).await?.escalated()
    }

    async fn bound_due_times(&self, now: Timestamp) -> Result<usize, Error> {
        let mut bounded = 0;
        loop {
            let (count, _) = self.write(Command::BoundDueTimes { now }).await?.counted()?;
            bounded += count;
            if count == 0 {
                return Ok(bounded);
            }
        }
    }

    async fn channel_paused(&self, protocol: Protocol, reason: &str, now: Timestamp) -> Result<(), Error> {
        self.write(Command::PauseChannel { protocol, reason: reason.to_owned(), now }).await?.done()
    }

    async fn channel_resumed(&self, protocol: Protocol, now: Timestamp) -> Result<(), Error> {
        self.write(Command::ResumeChannel { protocol, now }).await?.done()
    }

    async fn channel_missing(&self, protocol: Protocol, now: Timestamp) -> Result<usize, Error> {
        Ok(self.write(Command::MissChannel { protocol, now }).await?.counted()?.0)
    }
}

const INTERRUPTED: &str = "FROM deliveries JOIN subscriptions ON subscriptions.seq = subscription \
     JOIN attempts ON delivery = deliveries.seq AND attempts.ended_at IS NULL WHERE deliveries.state = 'in_flight'";

fn interrupted(row: &Row<'_>) -> rusqlite::Result<Interrupted> {
    Ok(Interrupted {
        delivery: DeliveryId(columns::uuid(row, "id")?),
        number: row.get("number")?,
        kind: rows::kind(row)?,
        subscription: rows::subscription(row)?,
        spent: row.get("spent")?,
    })
}
