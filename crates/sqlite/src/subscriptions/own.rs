//! What only our own topic can do.

use application::Error;
use application::ports::OwnSubscriptions;
use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::subscription::{Subscription, SubscriptionId, SuspensionReason};
use domain::webhook_secret::WebhookSecret;

use crate::Store;
use crate::failure::unreadable;
use crate::rows::all;
use crate::subscriptions::administer::{resume, rotate_secret, send_test, suspend};
use crate::subscriptions::confirm::{ONLY_IN_SANDBOX, confirm, lapse};
use crate::write::Transaction;

#[async_trait]
impl OwnSubscriptions for Store {
    async fn confirm(
        &self,
        id: SubscriptionId,
        generation: u32,
        in_sandbox: bool,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        let confirm = move |transaction: &mut Transaction<'_>| {
            confirm(transaction.connection, id, generation, in_sandbox, now)
        };
        self.write_change(confirm).await
    }

    async fn lapse_sandbox_confirmations(&self, protocol: Protocol, now: Timestamp) -> Result<usize, Error> {
        let lapsing = self.only_in_sandbox(protocol).await?;
        if lapsing.is_empty() {
            return Ok(0);
        }
        let lapse = move |transaction: &mut Transaction<'_>| lapse(transaction.connection, &lapsing, now);
        self.write_change(lapse).await
    }

    async fn suspend(
        &self,
        id: SubscriptionId,
        reason: SuspensionReason,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write_change(move |transaction| suspend(transaction.connection, id, reason, now)).await
    }

    async fn resume(&self, id: SubscriptionId, now: Timestamp) -> Result<Subscription, Error> {
        let resume = move |transaction: &mut Transaction<'_>| {
            transaction.effects.hurried = true;
            resume(transaction.connection, transaction.effects, id, now)
        };
        self.write_change(resume).await
    }

    async fn rotate_secret(
        &self,
        id: SubscriptionId,
        next: WebhookSecret,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write_change(move |transaction| rotate_secret(transaction.connection, id, next, now)).await
    }

    async fn send_test(
        &self,
        id: SubscriptionId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write_change(move |transaction| send_test(transaction.connection, id, delivery, now)).await
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
