//! Subscriptions, and what orders owe them.

mod candidates;
mod matching;

pub(crate) use candidates::Candidates;

use application::Error;
use application::ports::{NewSubscription, Page, Published, Subscribed, SubscriptionQuery, Topic};
use async_trait::async_trait;
use domain::Timestamp;
use domain::attributes::AttributesChange;
use domain::delivery::DeliveryId;
use domain::order::LoggedOrder;
use domain::subscription::{EndReason, Subscription, SubscriptionId};
use rusqlite::{Connection, OptionalExtension, params};

use super::all;
use crate::Store;
use crate::apply::Command;
use crate::failure::unreadable;
use crate::paging::Window;
use crate::rows::{self, SUBSCRIPTION_COLUMNS};

#[async_trait]
impl Topic for Store {
    async fn publish(&self, orders: &[LoggedOrder]) -> Result<Published, Error> {
        self.publish_matching(orders).await
    }

    async fn subscribe(&self, new: NewSubscription) -> Result<Subscribed, Error> {
        self.write(Command::Subscribe(Box::new(new))).await?.subscribed()
    }

    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, Error> {
        self.read(move |connection| {
            let sql = format!("SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE id = ?");
            let mut statement = connection.prepare_cached(&sql).map_err(unreadable)?;
            statement.query_row([id.0.as_bytes()], rows::subscription).optional().map_err(unreadable)
        })
        .await
    }

    async fn subscriptions(&self, query: SubscriptionQuery) -> Result<Page<Subscription>, Error> {
        let window = Window::of(&query.page)?;
        self.read(move |connection| page(connection, &query, window).map_err(unreadable)).await
    }

    async fn change_attributes(
        &self,
        id: SubscriptionId,
        change: AttributesChange,
    ) -> Result<Subscription, Error> {
        self.write(Command::ChangeAttributes { id, change: Box::new(change) }).await?.subscription()
    }

    async fn resend_confirmation(
        &self,
        id: SubscriptionId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write(Command::ResendConfirmation { id, delivery, now }).await?.subscription()
    }

    async fn unsubscribe(
        &self,
        id: SubscriptionId,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.write(Command::Unsubscribe { id, reason, now }).await?.subscription()
    }
}

fn page(
    connection: &Connection,
    query: &SubscriptionQuery,
    window: Window,
) -> rusqlite::Result<Page<Subscription>> {
    let sql = format!(
        "SELECT {SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE seq < ?1 AND (?2 IS NULL OR protocol = ?2) \
         AND (?3 IS NULL OR state = ?3) ORDER BY seq DESC LIMIT ?4"
    );
    let protocol = query.protocol.map(domain::endpoint::Protocol::name);
    let state = query.state.map(domain::subscription::SubscriptionState::name);
    let parameters = params![window.before, protocol, state, window.rows()];
    let found = all(connection.prepare_cached(&sql)?, parameters, |row| {
        Ok((row.get("subscription_seq")?, rows::subscription(row)?))
    })?;
    Ok(window.page(found))
}
