//! The mark that an order was published.

use std::collections::{HashMap, HashSet};

use application::Error;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::Timestamp;
use domain::order::OrderId;

use super::failure::{ErrorClass, Failure, unread};
use super::item::{self, Item, UNPUBLISHED};
use super::{Table, failure};

/// When an order was published, and as which message.
pub(super) const PUBLISHED_AT: &str = "publishedAt";
pub(super) const MESSAGE_ID: &str = "messageId";
/// The most items that one call reads (API reference, `BatchGetItem`).
const MAX_BATCH_GET: usize = 100;
/// How often the table may leave some of them out.
const MAX_READ_ATTEMPTS: u32 = 4;

impl Table {
    /// Which of the orders carry the marker, as the last write left them.
    ///
    /// # Errors
    /// What the table says; `Busy` if it keeps leaving some out.
    pub async fn already_published(&self, orders: &[OrderId]) -> Result<HashSet<OrderId>, Error> {
        // A call that names an item twice is refused.
        let wanted: Vec<_> = orders.iter().copied().collect::<HashSet<_>>().into_iter().collect();
        let mut published = HashSet::new();
        for orders in wanted.chunks(MAX_BATCH_GET) {
            let marked =
                self.markers(orders).await?.into_iter().filter(|item| item.contains_key(PUBLISHED_AT));
            published.extend(
                marked.filter_map(|item| item::string(&item, &self.key).ok()?.parse::<OrderId>().ok()),
            );
        }
        Ok(published)
    }

    /// Marks an order as published, at that time and as that message: it is no longer unpublished. Marking it again
    /// replaces the marker; an order that somebody has removed is let be.
    ///
    /// # Errors
    /// What the table says; the order may be marked nevertheless.
    pub async fn mark_published(&self, order: OrderId, message_id: &str, at: Timestamp) -> Result<(), Error> {
        let update = self.client.update_item().table_name(&*self.name);
        let update = update.key(&*self.key, item::text(order.to_string()));
        let update = update.update_expression("SET #at = :at, #message = :message REMOVE #unpublished");
        // Else the marker alone would make an item.
        let update = update.condition_expression("attribute_exists(#key)");
        let update = update.expression_attribute_names("#key", &*self.key);
        let update = update.expression_attribute_names("#at", PUBLISHED_AT);
        let update = update.expression_attribute_names("#message", MESSAGE_ID);
        let update = update.expression_attribute_names("#unpublished", UNPUBLISHED);
        let update = update.expression_attribute_values(":at", item::text(item::time_text(at)));
        let update = update.expression_attribute_values(":message", item::text(message_id));
        let Err(error) = update.send().await else { return Ok(()) };
        if matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) {
            tracing::warn!(order_id = %order, message_id, "an order was published that is no longer in the table");
            return Ok(());
        }
        Err(unread(&error))
    }

    /// The keys and markers of the orders that are there.
    async fn markers(&self, orders: &[OrderId]) -> Result<Vec<Item>, Error> {
        self.read_all(self.marker_keys(orders)?, orders[0]).await
    }

    /// Those of these items that are there, as the last write left them. `dice` is what waits differ by.
    pub(super) async fn read_all(
        &self,
        wanted: KeysAndAttributes,
        dice: OrderId,
    ) -> Result<Vec<Item>, Error> {
        let mut found = Vec::new();
        let mut rest = Some(wanted);
        for attempt in 1..=MAX_READ_ATTEMPTS {
            let Some(wanted) = rest.take() else { break };
            let read = self.client.batch_get_item().request_items(&*self.name, wanted);
            let mut answer = read.send().await.map_err(|error| unread(&error))?;
            found.extend(answer.responses.take().into_iter().flat_map(HashMap::into_values).flatten());
            rest = answer.unprocessed_keys.take().and_then(|left| left.into_values().next());
            if rest.is_some() {
                failure::wait_to_retry(failure::retry_delay(attempt, dice)).await;
            }
        }
        match rest {
            None => Ok(found),
            Some(_) => {
                Err(Failure::new(ErrorClass::Throttled, "BatchGetItem left keys unprocessed").into_error())
            }
        }
    }

    fn marker_keys(&self, orders: &[OrderId]) -> Result<KeysAndAttributes, Error> {
        let keys =
            orders.iter().map(|order| Item::from([(self.key.to_string(), item::text(order.to_string()))]));
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true);
        let wanted = wanted.projection_expression("#key, #at");
        let wanted = wanted.expression_attribute_names("#key", &*self.key);
        wanted.expression_attribute_names("#at", PUBLISHED_AT).build().map_err(Error::internal)
    }
}
