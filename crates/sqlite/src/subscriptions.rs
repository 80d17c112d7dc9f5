//! Subscriptions, and which orders match them.

pub(crate) mod administer;
pub(crate) mod confirm;
pub(crate) mod subscribe;
pub(crate) mod transition;

use application::Error;
use application::ports::{
    LocalSubscriptions, NewSubscription, Page, Subscribed, SubscriptionQuery, Subscriptions,
};
use async_trait::async_trait;
use domain::Timestamp;
use domain::attributes::AttributesChange;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::subscription::{EndReason, Subscription, SubscriptionId, SuspensionReason};
use domain::webhook_secret::WebhookSecret;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::Store;
use crate::failure::unreadable;
use crate::paging::{Listed, Window};
use crate::rows::{self, SUBSCRIPTION_COLUMNS, all};
use crate::subscriptions::administer::{resume, rotate_secret, send_test, suspend};
use crate::subscriptions::confirm::{ONLY_IN_SANDBOX, confirm, lapse, resend};
use crate::subscriptions::subscribe::{change_attributes, subscribe, unsubscribe};
use crate::unreadable::{Read, Table, read_row};
use crate::write::Transaction;

#[async_trait]
impl Subscriptions for Store {
    async fn subscribe(&self, new: NewSubscription) -> Result<Subscribed, Error> {
        self.write_change(move |transaction| subscribe(transaction.connection, &new)).await
    }

    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, Error> {
        self.read(move |connection| {
            let sql = format!("SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE id = ?");
            let mut statement = connection.prepare_cached(&sql).map_err(unreadable)?;
            statement.query_row([id.0.as_bytes()], subscription).optional().map_err(unreadable)
        })
        .await?
        .transpose()
        .map_err(Error::from)
    }

    async fn subscriptions(&self, query: SubscriptionQuery) -> Result<Page<Subscription>, Error> {
        let window = Window::of(&query.page)?;
        let read = move |connection: &Connection| {
            Ok(window.page(listed(connection, &query, window).map_err(unreadable)?))
        };
        self.read_quarantining(read).await
    }

    async fn change_attributes(
        &self,
        id: SubscriptionId,
        change: AttributesChange,
    ) -> Result<Subscription, Error> {
        self.write_change(move |transaction| change_attributes(transaction.connection, id, change)).await
    }

    async fn resend_confirmation(
        &self,
        id: SubscriptionId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write_change(move |transaction| resend(transaction.connection, id, delivery, now)).await
    }

    async fn unsubscribe(
        &self,
        id: SubscriptionId,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write_change(move |transaction| {
            unsubscribe(transaction.connection, transaction.effects, id, reason, now)
        })
        .await
    }
}

fn subscription(row: &Row<'_>) -> rusqlite::Result<Read<Subscription>> {
    read_row(Table::Subscriptions, row.get("subscription_seq")?, row, rows::subscription)
}

fn listed(
    connection: &Connection,
    query: &SubscriptionQuery,
    window: Window,
) -> rusqlite::Result<Vec<Listed<Subscription>>> {
    let sql = format!(
        "SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE seq < ?1 AND (?2 IS NULL OR protocol = ?2) \
         AND (?3 IS NULL OR state = ?3) ORDER BY seq DESC LIMIT ?4"
    );
    let protocol = query.protocol.map(domain::endpoint::Protocol::name);
    let state = query.state.map(domain::subscription::SubscriptionState::name);
    let parameters = params![window.before, protocol, state, window.rows()];
    all(connection.prepare_cached(&sql)?, parameters, |row| {
        Ok(Listed::of(row.get("subscription_seq")?, row, "subscription_id", subscription(row)?))
    })
}

#[async_trait]
impl LocalSubscriptions for Store {
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
            transaction.effects.pauses_lifted = true;
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
