//! One attempt at storing an order, and the look at what it left.

use std::time::Duration;

use application::ports::{Acceptance, Idempotency};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Builder, Config};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use domain::order::Order;
use futures_util::future::try_join_all;

use super::failure::{ErrorClass, Failure};
use super::item::{self, DETAILS, Item, ORDER_TIME, REQUEST_ID};
use super::{Table, idempotency_record};
use crate::failed_call::code;

/// How long a look may take.
const READ_BACK_TIMEOUT: Duration = Duration::from_millis(1_500);

/// One order, as it is written.
pub(super) struct Write<'a> {
    table: &'a Table,
    order: &'a Order,
    item: Item,
    idempotency: Option<&'a Idempotency>,
}

impl<'a> Write<'a> {
    pub(super) fn of(
        table: &'a Table,
        order: &'a Order,
        idempotency: Option<&'a Idempotency>,
    ) -> serde_json::Result<Self> {
        Ok(Self { table, order, item: item::of_order(order, &table.key)?, idempotency })
    }

    /// Writes the order, with its key's record.
    pub(super) async fn attempt(&self) -> Result<Acceptance, Failure> {
        match self.idempotency {
            Some(idempotency) => self.put_with_record(idempotency).await,
            None => self.put().await,
        }
    }

    async fn put(&self) -> Result<Acceptance, Failure> {
        let put = self.table.client.put_item().table_name(&*self.table.name);
        let put = put.set_item(Some(self.item.clone())).condition_expression("attribute_not_exists(#key)");
        let put = put.expression_attribute_names("#key", &*self.table.key);
        let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.customize().config_override(once()).send().await else {
            return Ok(Acceptance::Stored);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => self.found(failed.item()),
            _ => Err(Failure::of(&error)),
        }
    }

    async fn put_with_record(&self, idempotency: &Idempotency) -> Result<Acceptance, Failure> {
        let write = self.table.client.transact_write_items();
        // Within ten minutes, the table answers a repeated token as it answered the first, and writes nothing.
        let write = write.client_request_token(self.order.id.to_string());
        let write = write
            .set_transact_items(Some([vec![self.order_put()?], self.record_puts(idempotency)?].concat()));
        let Err(error) = write.customize().config_override(once()).send().await else {
            return Ok(Acceptance::Stored);
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                self.cancelled(cancelled.cancellation_reasons(), idempotency)
            }
            _ => Err(Failure::of(&error)),
        }
    }

    fn order_put(&self) -> Result<TransactWriteItem, Failure> {
        let put = Put::builder().table_name(&*self.table.name).set_item(Some(self.item.clone()));
        let put = put.condition_expression("attribute_not_exists(#key)");
        let put = put.expression_attribute_names("#key", &*self.table.key);
        action(put)
    }

    fn record_puts(&self, idempotency: &Idempotency) -> Result<Vec<TransactWriteItem>, Failure> {
        let records = idempotency_record::of_order(self.order, idempotency, &self.table.key);
        records.into_iter().map(|record| self.record_put(record, idempotency)).collect()
    }

    fn record_put(&self, record: Item, idempotency: &Idempotency) -> Result<TransactWriteItem, Failure> {
        let last_over = idempotency_record::last_over(self.order.time, idempotency.lifetime);
        let put = Put::builder().table_name(&*self.table.name).set_item(Some(record));
        let put = put.condition_expression("attribute_not_exists(#key) OR #placed_at <= :last_over");
        let put = put.expression_attribute_names("#key", &*self.table.key);
        let put = put.expression_attribute_names("#placed_at", idempotency_record::PLACED_AT);
        action(put.expression_attribute_values(":last_over", last_over))
    }

    /// What follows from why a transaction was cancelled: the reasons stand in the order of its actions.
    fn cancelled(
        &self,
        reasons: &[CancellationReason],
        idempotency: &Idempotency,
    ) -> Result<Acceptance, Failure> {
        let codes: Vec<_> = reasons.iter().map(|reason| code(reason.code())).collect();
        let failure = |class| Failure::new(class, format!("TransactionCanceledException: {codes:?}"));
        match reasons {
            [order, _] if is_condition(order) => self.found(order.item()),
            [_, records @ ..] if records.iter().any(is_condition) => {
                let found =
                    records.iter().filter(|record| is_condition(record)).filter_map(CancellationReason::item);
                self.answer(found, idempotency)?.ok_or_else(|| failure(ErrorClass::Conflict))
            }
            _ => Err(failure(ErrorClass::of_reasons(reasons))),
        }
    }

    /// What the records answer that were found, in the order of their keys.
    fn answer<'i>(
        &self,
        mut records: impl Iterator<Item = &'i Item>,
        idempotency: &Idempotency,
    ) -> Result<Option<Acceptance>, Failure> {
        let answer = records
            .find_map(|record| idempotency_record::answer(record, self.order, idempotency).transpose());
        Ok(answer.transpose()?)
    }

    /// What follows from an item that has the order's id already: an earlier attempt stored it, if it is ours.
    fn found(&self, earlier: Option<&Item>) -> Result<Acceptance, Failure> {
        let Some(earlier) = earlier else {
            return Err(Failure::new(ErrorClass::Unknown, "the table did not show the earlier item"));
        };
        if self.is_ours(earlier) {
            return Ok(Acceptance::Stored);
        }
        Err(Failure::new(ErrorClass::Defect, format!("another item has the key {}", self.order.id)))
    }

    fn is_ours(&self, earlier: &Item) -> bool {
        [DETAILS, ORDER_TIME, REQUEST_ID].iter().all(|name| earlier.get(*name) == self.item.get(*name))
    }

    /// Tells by reading what holds: whether the order is stored, or another one under its key. Both are written with the
    /// key's record or not at all.
    pub(super) async fn read_back(&self) -> Result<Option<Acceptance>, Failure> {
        let Some(idempotency) = self.idempotency else {
            let found = self.read_back_once(&self.order.id.to_string()).await?;
            return found.map(|earlier| self.found(Some(&earlier))).transpose();
        };
        let keys = idempotency_record::keys(idempotency);
        let found = try_join_all(keys.iter().map(|key| self.read_back_once(key))).await?;
        self.answer(found.iter().flatten(), idempotency)
    }

    async fn read_back_once(&self, key: &str) -> Result<Option<Item>, Failure> {
        let read_back =
            once().timeout_config(TimeoutConfig::builder().operation_timeout(READ_BACK_TIMEOUT).build());
        let found = self.table.get(key).customize().config_override(read_back).send().await;
        Ok(found.map_err(|error| Failure::of(&error))?.item)
    }
}

fn is_condition(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

fn action(put: PutBuilder) -> Result<TransactWriteItem, Failure> {
    let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let put = put.build().map_err(|error| Failure::new(ErrorClass::Defect, error.to_string()))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// A call is made once: whether to make it again is decided here, knowing what the attempts before came to.
fn once() -> Builder {
    Config::builder().retry_config(RetryConfig::disabled())
}
