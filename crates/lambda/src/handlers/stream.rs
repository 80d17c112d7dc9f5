//! `stream`: publishes the orders that a batch of the table's stream tells of.
//!
//! Lambda takes the lowest sequence number that is reported as its checkpoint and sends everything from it on again; the
//! marks make that harmless. A record that cannot be read would so keep all that follows it in its batch coming back,
//! and take it along when it is given up. Therefore, once such a record is the first of its batch and all that can be
//! published is, the invocation fails as a whole: that has Lambda halve the batch, whatever is reported, at no cost in
//! retries, until the record stands alone. Alone it is reported, retried as often as the mapping allows, and its
//! sequence number goes to the on-failure destination.
//!
//! Sources: <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html> (checkpoint,
//! halving), <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html> (retries, destination).

use std::collections::HashSet;
use std::sync::Arc;

use application::ports::Publisher;
use domain::order::{LoggedOrder, Order, OrderId, Seq};
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::failure;

/// Publishes what the table's stream tells of.
pub(crate) struct Stream {
    /// Where new orders are published.
    pub(crate) publisher: Arc<dyn Publisher>,
    /// The name of the table's key attribute.
    pub(crate) key: String,
}

/// A record of the stream.
struct Record {
    sequence_number: String,
    event: StreamEvent,
}

/// What a record tells of.
enum StreamEvent {
    /// An order that was stored.
    Order(Box<Order>),
    /// Anything else that happens in the table.
    Ignored,
    /// It cannot be read, and never will be.
    Poison,
}

impl Stream {
    /// Publishes the orders of a batch, and answers with the records that failed, in Lambda's form.
    ///
    /// # Errors
    /// It is no batch, or its first record cannot be read and others stand behind it.
    pub(crate) async fn publish_batch(&self, event: &str) -> Result<Value, Diagnostic> {
        let records = read(event, &self.key)?;
        let unpublished = self.publish(&records).await;
        if let [Record { sequence_number, event: StreamEvent::Poison }, _, ..] = records.as_slice() {
            return Err(failure(
                "PoisonRecord",
                format!("{sequence_number} cannot be read; the batch is to be halved"),
            ));
        }
        let failed = records.iter().filter(|record| match &record.event {
            StreamEvent::Order(order) => unpublished.contains(&order.id),
            StreamEvent::Ignored => false,
            StreamEvent::Poison => true,
        });
        let failures: Vec<_> =
            failed.map(|record| json!({ "itemIdentifier": record.sequence_number })).collect();
        Ok(json!({ "batchItemFailures": failures }))
    }

    /// Publishes the orders, and answers with those that were not published.
    async fn publish(&self, records: &[Record]) -> HashSet<OrderId> {
        let orders = records.iter().filter_map(|record| match &record.event {
            StreamEvent::Order(order) => Some(Order::clone(order)),
            StreamEvent::Ignored | StreamEvent::Poison => None,
        });
        let orders: Vec<_> =
            (0..).map(Seq).zip(orders).map(|(seq, order)| LoggedOrder { seq, order }).collect();
        if orders.is_empty() {
            return HashSet::new();
        }
        let failed: HashSet<_> = match self.publisher.publish(&orders).await {
            Ok(published) => published.failed.into_iter().collect(),
            Err(error) => {
                tracing::error!(%error, cause = error.cause(), orders = orders.len(), "publishing failed");
                orders.iter().map(|logged| logged.order.id).collect()
            }
        };
        metrics::counter!("orderbell_publish_failures_total").increment(failed.len() as u64);
        failed
    }
}

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<&'a RawValue>,
}

/// The header of every record, whatever became of its item.
#[derive(Deserialize)]
struct RecordHeader {
    dynamodb: SequenceNumber,
}

#[derive(Deserialize)]
struct SequenceNumber {
    #[serde(rename = "SequenceNumber")]
    sequence_number: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRecord {
    event_name: String,
    dynamodb: RawChange,
}

#[derive(Deserialize)]
struct RawChange {
    #[serde(rename = "NewImage")]
    new_image: Option<serde_dynamo::Item>,
}

/// Reads a batch, record by record: one that cannot be read hides no other.
fn read(event: &str, key: &str) -> Result<Vec<Record>, Diagnostic> {
    let no_batch = || failure("NoBatch", "the event is no batch of a DynamoDB stream".to_owned());
    let batch: Batch<'_> = serde_json::from_str(event).map_err(|_| no_batch())?;
    let read = |record: &&RawValue| {
        let header: RecordHeader = serde_json::from_str(record.get()).map_err(|_| no_batch())?;
        let sequence_number = header.dynamodb.sequence_number;
        // An empty one in an answer would fail the whole batch.
        if sequence_number.is_empty() {
            return Err(no_batch());
        }
        let event = find(record.get(), key).unwrap_or_else(|reason| {
            metrics::counter!("orderbell_poison_records_total").increment(1);
            tracing::error!(sequence_number, reason, "a record of the stream cannot be read");
            StreamEvent::Poison
        });
        Ok(Record { sequence_number, event })
    };
    batch.records.iter().map(read).collect()
}

/// What a record tells of, or why it cannot be told.
fn find(record: &str, key: &str) -> Result<StreamEvent, String> {
    // What serde says of wrong data may quote it.
    let wrong = |error: serde_json::Error| {
        format!("it is no record of a stream at line {}, column {}", error.line(), error.column())
    };
    let raw: RawRecord = serde_json::from_str(record).map_err(wrong)?;
    if raw.event_name != "INSERT" {
        return Ok(StreamEvent::Ignored);
    }
    let image = raw.dynamodb.new_image.ok_or("it has no NewImage: the stream's view must be NEW_IMAGE")?;
    let order = aws::stream_order(image, key).map_err(|error| error.to_string())?;
    Ok(order.map_or(StreamEvent::Ignored, |order| StreamEvent::Order(Box::new(order))))
}

#[cfg(test)]
mod tests;
