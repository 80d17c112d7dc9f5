//! What only our own topic can do.

use application::Error;
use application::ports::OwnTopic;
use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::subscription::{Subscription, SubscriptionId, SuspensionReason};
use domain::webhook_secret::WebhookSecret;

use super::all;
use crate::Store;
use crate::apply::{Command, ONLY_IN_SANDBOX};
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

    async fn lapse_sandbox_confirmations(&self, protocol: Protocol, now: Timestamp) -> Result<usize, Error> {
        let lapsing = self.only_in_sandbox(protocol).await?;
        if lapsing.is_empty() {
            return Ok(0);
        }
        Ok(self.write(Command::LapseSandbox { lapsing, now }).await?.counted()?.0)
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
        self.write(Command::Resume { id, now }).await?.subscription()
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
    /// By their `seq`, so that one of which nothing else can be read lapses too.
    async fn only_in_sandbox(&self, protocol: Protocol) -> Result<Vec<i64>, Error> {
        self.read_for_work(move |connection| {
            let sql = format!("SELECT seq FROM subscriptions WHERE protocol = ? AND ({ONLY_IN_SANDBOX})");
            let found = connection
                .prepare_cached(&sql)
                .and_then(|statement| all(statement, [protocol.name()], |row| row.get(0)));
            found.map_err(unreadable)
        })
        .await
    }
}
