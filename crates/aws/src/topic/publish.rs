//! Publishing orders: read the markers, publish what carries none, write the marker of each success.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use application::Error;
use application::ports::Published;
use aws_sdk_sns::error::SdkError;
use aws_sdk_sns::operation::publish_batch::{PublishBatchError, PublishBatchOutput};
use domain::order::{LoggedOrder, Order, OrderId};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use super::batch::batches;
use super::failure::{ErrorClass, explain};
use super::message::{SnsMessage, Texts};
use super::{CONCURRENCY, Topic};
use crate::failed_call::code;

/// How many orders are kept in memory whose markers failed: some 10 MB.
const MAX_UNMARKED: usize = 100_000;

/// For how long templates hold that were read: those who set one wait for no longer than this.
const TEMPLATES_AGE: Duration = Duration::from_secs(30);

type BatchResult = Result<PublishBatchOutput, SdkError<PublishBatchError>>;

impl Topic {
    /// Publishes orders that were not published yet, and returns which of them failed.
    pub(super) async fn publish_unpublished(&self, orders: &[LoggedOrder]) -> Result<Published, Error> {
        if orders.is_empty() {
            return Ok(Published::default());
        }
        let ids: Vec<OrderId> = orders.iter().map(|logged| logged.order.id).collect();
        let published = self.table.already_published(&ids).await?;
        let unmarked = self.retry_markers(ids.iter().filter(|id| !published.contains(id))).await;
        let is_new = |order: &&Order| !published.contains(&order.id) && !unmarked.contains(&order.id);
        let new: Vec<_> = orders.iter().map(|logged| &logged.order).filter(is_new).collect();
        Ok(Published { failed: self.publish_new(&new).await, ..Published::default() })
    }

    /// Publishes orders that nobody can have published yet: their markers are written and not read. Returns which of
    /// them failed.
    pub async fn publish_new(&self, orders: &[&Order]) -> Vec<OrderId> {
        self.templates.keep_up(TEMPLATES_AGE, self.clock.now()).await;
        let (mut messages, mut failed) = (Vec::new(), Vec::new());
        for order in orders {
            let texts = Texts::of(order, &self.reader, |protocol| self.templates.of_protocol(protocol));
            match SnsMessage::of(order, &texts) {
                Ok(message) => messages.push(message),
                Err(reason) => {
                    tracing::error!(order_id = %order.id, %reason, "an order cannot be published");
                    failed.push(order.id);
                }
            }
        }
        let published = stream::iter(batches(messages)).map(|batch| self.publish_batch(batch));
        failed.extend(published.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await.concat());
        failed
    }

    /// Publishes a batch and returns which orders of it failed. Where SNS refuses it as a whole, for the sake of one
    /// message perhaps, each message is tried by itself.
    async fn publish_batch(&self, batch: Vec<SnsMessage>) -> Vec<OrderId> {
        match self.send(&batch).await {
            Err(error) if batch.len() > 1 && ErrorClass::of(&error) == ErrorClass::Refused => {
                let alone = stream::iter(batch.chunks(1));
                let settled = alone.then(async |one| self.settle(one, self.send(one).await).await);
                settled.collect::<Vec<_>>().await.concat()
            }
            answer => self.settle(&batch, answer).await,
        }
    }

    async fn send(&self, batch: &[SnsMessage]) -> BatchResult {
        let entries = batch.iter().enumerate().map(|(place, message)| message.entry(place));
        let entries = entries.collect::<Result<_, _>>().map_err(SdkError::construction_failure)?;
        let call = self.client.publish_batch().topic_arn(&*self.arn);
        call.set_publish_batch_request_entries(Some(entries)).send().await
    }

    /// Marks the orders that SNS accepted and answers the others: an entry that the answer does not name failed too.
    async fn settle(&self, batch: &[SnsMessage], answer: BatchResult) -> Vec<OrderId> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let orders: Vec<_> = batch.iter().map(|message| message.order.to_string()).collect();
                let (orders, cause) = (orders.join(" "), explain(&error));
                tracing::error!(orders, cause, "orders were not published");
                return batch.iter().map(|message| message.order).collect();
            }
        };
        let order_of = |id: &str| id.parse().ok().and_then(|place: usize| Some(batch.get(place)?.order));
        for entry in answer.failed() {
            let order_id = order_of(entry.id()).map(|order| order.to_string());
            let (code, for_good) = (code(Some(entry.code())), entry.sender_fault());
            tracing::error!(order_id, code, for_good, "an order was not published");
        }
        let accepted: Vec<(OrderId, &str)> = (answer.successful().iter())
            .filter_map(|entry| Some((order_of(entry.id()?)?, entry.message_id().unwrap_or_default())))
            .collect();
        metrics::counter!("orderbell_orders_published_total").increment(accepted.len() as u64);
        join_all(accepted.iter().map(|(order, message)| self.mark_published(*order, message))).await;
        let failed = |order: &OrderId| !accepted.iter().any(|(accepted, _)| accepted == order);
        batch.iter().map(|message| message.order).filter(failed).collect()
    }

    /// Marks those of the orders that are known to be published though they have no marker, and returns which they are.
    async fn retry_markers(&self, orders: impl Iterator<Item = &OrderId>) -> Vec<OrderId> {
        let known: Vec<_> = {
            let unmarked = self.unmarked();
            orders.filter_map(|order| Some((*order, unmarked.get(order)?.clone()))).collect()
        };
        join_all(known.iter().map(|(order, message)| self.mark_published(*order, message))).await;
        known.into_iter().map(|(order, _)| order).collect()
    }

    /// Marks an order as published. Without its marker it is published again by another process that looks for unmarked
    /// ones: a repeat is the lesser harm. It is not reported as failed, which would repeat it at once and as often as its
    /// stream retries.
    async fn mark_published(&self, order: OrderId, message_id: &str) {
        match self.table.mark_published(order, message_id, self.clock.now()).await {
            Ok(()) => {
                self.unmarked().remove(&order);
            }
            Err(error) => {
                let cause = error.cause();
                tracing::error!(order_id = %order, message_id, %error, cause, "an order was published and not marked");
                let mut unmarked = self.unmarked();
                if unmarked.len() < MAX_UNMARKED {
                    unmarked.insert(order, message_id.to_owned());
                }
            }
        }
    }

    fn unmarked(&self) -> MutexGuard<'_, HashMap<OrderId, String>> {
        self.unmarked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
