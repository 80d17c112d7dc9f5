//! The topic: orders published through SNS, and the subscriptions that SNS keeps, confirms and delivers to.

mod attributes;
mod batch;
mod failure;
mod identity;
mod listing;
mod message;
mod policy;
mod publish;
mod subscriptions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use application::Error;
use application::ports::{
    Clock, NewSubscription, Page, Published, Publisher, Subscribed, SubscriptionQuery, Subscriptions,
};
use application::templates::TemplateBook;
use async_trait::async_trait;
use aws_sdk_sns::Client;
use domain::Timestamp;
use domain::attributes::AttributesChange;
use domain::delivery::DeliveryId;
use domain::order::{LoggedOrder, OrderId};
use domain::reader::Reader;
use domain::subscription::{EndReason, Subscription, SubscriptionId};

use crate::Table;

/// How many calls are made to SNS at once for one request or one batch of orders.
const CONCURRENCY: usize = 8;

/// An SNS topic, with the table that remembers what was published.
///
/// Subscriptions are SNS's own: their ids are derived from topic, protocol and endpoint, and what SNS does not tell is
/// `None`. SNS lists them in no order, forgets one that ended, and can neither change nor end one that is pending; a
/// changed filter policy takes up to 15 minutes to hold everywhere.
#[derive(Clone)]
pub struct Topic {
    client: Client,
    arn: Arc<str>,
    table: Table,
    clock: Arc<dyn Clock>,
    /// Who reads what SNS sends: it sends one text to all.
    reader: Reader,
    /// What operators wrote in its place.
    templates: Arc<TemplateBook>,
    /// Orders that SNS took, as these messages, and whose marks could not be written: what is known to be published is
    /// not published again by this process, however long the table takes no marks.
    unmarked: Arc<Mutex<HashMap<OrderId, String>>>,
}

impl Topic {
    /// The topic of that ARN, through a client as [`connect::clients`](crate::connect::clients) makes it: its time-outs
    /// bound every call. `table` is the one that the orders are stored in. What SNS sends is said for the `reader`.
    #[must_use]
    pub fn new(client: Client, arn: String, table: Table, clock: Arc<dyn Clock>, reader: Reader) -> Self {
        let templates = Arc::new(TemplateBook::new(Arc::new(table.clone())));
        Self { client, arn: arn.into(), table, clock, reader, templates, unmarked: Arc::default() }
    }

    /// The templates that it publishes with.
    #[must_use]
    pub fn templates(&self) -> Arc<TemplateBook> {
        Arc::clone(&self.templates)
    }
}

#[async_trait]
impl Publisher for Topic {
    /// Publishes each order that is not marked as published, and marks it. An order whose outcome is unknown counts as
    /// failed, and is published again. `Err` only where the marks cannot be read: then nothing was published.
    async fn publish(&self, orders: &[LoggedOrder]) -> Result<Published, Error> {
        self.publish_unpublished(orders).await
    }
}

#[async_trait]
impl Subscriptions for Topic {
    async fn subscribe(&self, new: NewSubscription) -> Result<Subscribed, Error> {
        self.subscribe_endpoint(new).await
    }

    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, Error> {
        match self.find(id).await? {
            Some(listed) => self.describe(listed).await.map(Some),
            None => Ok(None),
        }
    }

    async fn subscriptions(&self, query: SubscriptionQuery) -> Result<Page<Subscription>, Error> {
        self.list(query).await
    }

    async fn change_attributes(
        &self,
        id: SubscriptionId,
        change: AttributesChange,
    ) -> Result<Subscription, Error> {
        self.change(id, change).await
    }

    async fn resend_confirmation(
        &self,
        id: SubscriptionId,
        _delivery: DeliveryId,
        _now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.resubscribe(id).await
    }

    async fn unsubscribe(
        &self,
        id: SubscriptionId,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Subscription, Error> {
        self.end(id, reason, now).await
    }
}
