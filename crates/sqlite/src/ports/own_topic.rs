//! What only our own topic can do.

use application::Error;
use application::ports::{DeliveryQueue, OwnTopic, Randomness};
use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::subscription::{Subscription, SubscriptionId, SuspensionReason};
use domain::webhook_secret::WebhookSecret;

use crate::Store;
use crate::apply::{Command, ONLY_IN_SANDBOX};
use crate::columns;
use crate::failure::unreadable;

#[async_trait]
impl OwnTopic for Store {
    async fn confirm(
        &self,
        id: SubscriptionId,
        generation: u32,
        in_sandbox: bool,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write(Command::Confirm { id, generation, in_sandbox, now }).await?.subscription()
    }

    async fn lapse_sandbox_confirmations(
        &self,
        protocol: Protocol,
        randomness: &dyn Randomness,
        now: Timestamp,
    ) -> Result<usize, Error> {
        let lapsing = self.only_in_sandbox(protocol).await?;
        if lapsing.is_empty() {
            return Ok(0);
        }
        let renewals = lapsing.into_iter().map(|id| (id, randomness.delivery_id(now))).collect();
        Ok(self.write(Command::LapseSandbox { renewals, now }).await?.counted()?.0)
    }

    async fn suspend(
        &self,
        id: SubscriptionId,
        reason: SuspensionReason,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write(Command::Suspend { id, reason, now }).await?.subscription()
    }

    async fn resume(&self, id: SubscriptionId, now: Timestamp) -> Result<Subscription, Error> {
        self.bound_due_times(now).await?;
        self.write(Command::Resume { id }).await?.subscription()
    }

    async fn rotate_secret(
        &self,
        id: SubscriptionId,
        next: WebhookSecret,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write(Command::RotateSecret { id, next, now }).await?.subscription()
    }

    async fn send_test(
        &self,
        id: SubscriptionId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write(Command::SendTest { id, delivery, now }).await?.subscription()
    }
}

impl Store {
    async fn only_in_sandbox(&self, protocol: Protocol) -> Result<Vec<SubscriptionId>, Error> {
        self.read(move |connection| {
            let sql = format!("SELECT id FROM subscriptions WHERE protocol = ? AND ({ONLY_IN_SANDBOX})");
            let id = |row: &rusqlite::Row<'_>| columns::uuid(row, "id").map(SubscriptionId);
            let found = connection
                .prepare_cached(&sql)
                .and_then(|mut all| all.query_map([protocol.name()], id)?.collect());
            found.map_err(unreadable)
        })
        .await
    }
}
