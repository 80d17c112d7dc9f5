//! Announcing orders: read the marks, publish what carries none, write the mark of each success.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use application::Error;
use application::ports::Published;
use aws_sdk_sns::error::SdkError;
use aws_sdk_sns::operation::publish_batch::{PublishBatchError, PublishBatchOutput};
use domain::order::{LoggedOrder, Order, OrderId};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use super::failure::{Fault, explain};
use super::message::Announcement;
use super::run::runs;
use super::{CONCURRENCY, Topic};
use crate::failed_call::code;

/// How many orders are kept in mind whose marks failed: some 10 MB.
const MOST_UNMARKED: usize = 100_000;

type Answer = Result<PublishBatchOutput, SdkError<PublishBatchError>>;

impl Topic {
    /// Announces orders that were not announced yet, and answers which of them failed.
    pub(super) async fn announce(&self, orders: &[LoggedOrder]) -> Result<Published, Error> {
        if orders.is_empty() {
            return Ok(Published::default());
        }
        let ids: Vec<OrderId> = orders.iter().map(|logged| logged.order.id).collect();
        let announced = self.table.announced(&ids).await?;
        let unmarked = self.mark_again(ids.iter().filter(|id| !announced.contains(id))).await;
        let is_new = |order: &&Order| !announced.contains(&order.id) && !unmarked.contains(&order.id);
        let new: Vec<_> = orders.iter().map(|logged| &logged.order).filter(is_new).collect();
        Ok(Published { failed: self.publish_new(&new).await, ..Published::default() })
    }

    /// Publishes orders that nobody can have published yet: their marks are written and not read. Answers which of them
    /// failed.
    pub async fn publish_new(&self, orders: &[&Order]) -> Vec<OrderId> {
        let (mut announcements, mut failed) = (Vec::new(), Vec::new());
        for order in orders {
            match Announcement::of(order) {
                Ok(announcement) => announcements.push(announcement),
                Err(reason) => {
                    tracing::error!(order_id = %order.id, %reason, "an order cannot be published");
                    failed.push(order.id);
                }
            }
        }
        let published = stream::iter(runs(announcements)).map(|run| self.publish_run(run));
        failed.extend(published.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await.concat());
        failed
    }

    /// Publishes a run and answers which orders of it failed. Where SNS refuses it as a whole, for the sake of one
    /// message perhaps, each message is tried by itself.
    async fn publish_run(&self, run: Vec<Announcement>) -> Vec<OrderId> {
        match self.send(&run).await {
            Err(error) if run.len() > 1 && Fault::of(&error) == Fault::Refused => {
                let alone = stream::iter(run.chunks(1));
                let settled = alone.then(async |one| self.settle(one, self.send(one).await).await);
                settled.collect::<Vec<_>>().await.concat()
            }
            answer => self.settle(&run, answer).await,
        }
    }

    async fn send(&self, run: &[Announcement]) -> Answer {
        let entries = run.iter().enumerate().map(|(place, announcement)| announcement.entry(place));
        let entries = entries.collect::<Result<_, _>>().map_err(SdkError::construction_failure)?;
        let call = self.client.publish_batch().topic_arn(&*self.arn);
        call.set_publish_batch_request_entries(Some(entries)).send().await
    }

    /// Marks the orders that SNS accepted and answers the others: an entry that the answer does not name failed too.
    async fn settle(&self, run: &[Announcement], answer: Answer) -> Vec<OrderId> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let orders: Vec<_> = run.iter().map(|announcement| announcement.order.to_string()).collect();
                let (orders, cause) = (orders.join(" "), explain(&error));
                tracing::error!(orders, cause, "orders were not published");
                return run.iter().map(|announcement| announcement.order).collect();
            }
        };
        let order_of = |id: &str| id.parse().ok().and_then(|place: usize| Some(run.get(place)?.order));
        for entry in answer.failed() {
            let order_id = order_of(entry.id()).map(|order| order.to_string());
            let (code, for_good) = (code(Some(entry.code())), entry.sender_fault());
            tracing::error!(order_id, code, for_good, "an order was not published");
        }
        let accepted: Vec<(OrderId, &str)> = (answer.successful().iter())
            .filter_map(|entry| Some((order_of(entry.id()?)?, entry.message_id().unwrap_or_default())))
            .collect();
        metrics::counter!("orderbell_orders_published_total").increment(accepted.len() as u64);
        join_all(accepted.iter().map(|(order, message)| self.mark(*order, message))).await;
        let failed = |order: &OrderId| !accepted.iter().any(|(accepted, _)| accepted == order);
        run.iter().map(|announcement| announcement.order).filter(failed).collect()
    }

    /// Marks those of the orders that are known to be announced though they have no mark, and answers which they are.
    async fn mark_again(&self, orders: impl Iterator<Item = &OrderId>) -> Vec<OrderId> {
        let known: Vec<_> = {
            let unmarked = self.unmarked();
            orders.filter_map(|order| Some((*order, unmarked.get(order)?.clone()))).collect()
        };
        join_all(known.iter().map(|(order, message)| self.mark(*order, message))).await;
        known.into_iter().map(|(order, _)| order).collect()
    }

    /// Marks an order as announced. Without its mark it is announced again by another process that looks for unmarked
    /// ones: a repeat is the lesser harm. It is not reported as failed, which would repeat it at once and as often as its
    /// stream retries.
    async fn mark(&self, order: OrderId, message_id: &str) {
        match self.table.mark(order, message_id, self.clock.now()).await {
            Ok(()) => {
                self.unmarked().remove(&order);
            }
            Err(error) => {
                let cause = error.cause();
                tracing::error!(order_id = %order, message_id, %error, cause, "an order was published and not marked");
                let mut unmarked = self.unmarked();
                if unmarked.len() < MOST_UNMARKED {
                    unmarked.insert(order, message_id.to_owned());
                }
            }
        }
    }

    fn unmarked(&self) -> MutexGuard<'_, HashMap<OrderId, String>> {
        self.unmarked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
