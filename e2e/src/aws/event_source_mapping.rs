//! What Lambda's event source mapping does between a table's stream and a function, by its documented rules:
//!
//! 1. Only records that match the filter are handed over.
//!    <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html>
//! 2. They are handed over in batches, in order; a batch that is not done holds up what follows it in its shard.
//!    <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>
//! 3. Under `ReportBatchItemFailures`, the lowest sequence number that is reported is the checkpoint, and everything from
//!    it on is sent again. No failures, or no answer, is a complete success; an identifier that is empty, null or missing
//!    is a complete failure. <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
//! 4. A function error is a complete failure: with `BisectBatchOnFunctionError` the batch is split in two, whatever is
//!    reported (same page), and a split takes nothing off the retries.
//!    <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
//! 5. After `MaximumRetryAttempts` retries, or past `MaximumRecordAgeInSeconds`, records are discarded, and the on-failure
//!    destination is told their sequence numbers and not their data (the same page).
//!
//! Where the documents leave something open the worse is assumed: the retries that a batch has used up count for each
//! of its halves and for what is left of it behind a checkpoint. Pauses between retries are left out.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::function::{Function, Outcome};
use super::stream::Stream;
use super::table::Table;

/// The settings of a mapping that always reports batch item failures and bisects on function errors.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `BatchSize`.
    pub batch_size: usize,
    /// `MaximumRetryAttempts`.
    pub retry_attempts: u32,
    /// `MaximumRecordAgeInSeconds`.
    pub record_age: Duration,
}

impl Settings {
    /// Those of `deploy/aws/template.yaml`.
    pub const TEMPLATE: Self =
        Self { batch_size: 100, retry_attempts: 5, record_age: Duration::from_mins(10) };
}

/// A mapping from a table's stream to a function.
#[derive(Debug)]
pub struct EventSourceMapping {
    stream: Stream,
    settings: Settings,
    waiting: VecDeque<Batch>,
    /// Every invocation so far.
    pub invocations: Vec<Invocation>,
    /// What the on-failure destination was told.
    pub discarded: Vec<Discarded>,
}

/// One invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The sequence numbers of its records.
    pub records: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// A message to the on-failure destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discarded {
    /// `RetryAttemptsExhausted` or `RecordAgeExceeded`.
    pub condition: &'static str,
    /// The first record's sequence number.
    pub first: String,
    /// The last record's.
    pub last: String,
    /// How many there are.
    pub size: usize,
}

/// Records on their way, and the retries that they have used up.
#[derive(Debug, Clone, PartialEq)]
struct Batch {
    records: Vec<Value>,
    retries: u32,
}

/// What follows from an invocation.
#[derive(Debug, PartialEq)]
enum Next {
    /// The checkpoint moves past the batch.
    Done,
    /// These are sent next, in this order.
    Send(Vec<Batch>),
    /// It is given up.
    Discard(Batch),
}

impl EventSourceMapping {
    /// A mapping from a table's stream, from its oldest record on.
    ///
    /// # Errors
    /// The table has no stream.
    pub async fn of(table: &Table, settings: Settings) -> Result<Self> {
        let stream = Stream::of(table).await?;
        let (invocations, discarded) = (Vec::new(), Vec::new());
        Ok(Self { stream, settings, waiting: VecDeque::new(), invocations, discarded })
    }

    /// Hands over what the stream holds by now, until nothing of it waits.
    ///
    /// # Errors
    /// An emulator does not answer.
    pub async fn drain(&mut self, function: &Function) -> Result<()> {
        self.read().await?;
        while self.step(function).await? {}
        Ok(())
    }

    /// Reads what came since, and puts what matches the filter into batches; gives the number of batches that wait.
    ///
    /// # Errors
    /// DynamoDB Local does not answer.
    pub async fn read(&mut self) -> Result<usize> {
        let records: Vec<_> = self.stream.read().await?.into_iter().filter(matches).collect();
        let batches = records.chunks(self.settings.batch_size);
        self.waiting.extend(batches.map(|records| Batch { records: records.to_vec(), retries: 0 }));
        Ok(self.waiting.len())
    }

    /// Sends the first batch that waits; false if none does.
    ///
    /// # Errors
    /// The emulator does not answer.
    pub async fn step(&mut self, function: &Function) -> Result<bool> {
        let Some(batch) = self.waiting.pop_front() else { return Ok(false) };
        let Some(batch) = self.discard_old(batch) else { return Ok(true) };
        let outcome = function.invoke(&json!({"Records": batch.records})).await?;
        let records = batch.records.iter().map(|record| number(record).to_owned()).collect();
        match next(batch, &outcome, &self.settings) {
            Next::Done => {}
            Next::Send(batches) => batches.into_iter().rev().for_each(|batch| self.waiting.push_front(batch)),
            Next::Discard(batch) => self.discard("RetryAttemptsExhausted", &batch.records),
        }
        self.invocations.push(Invocation { records, outcome });
        Ok(true)
    }

    /// What is left of a batch without the records that are too old.
    fn discard_old(&mut self, batch: Batch) -> Option<Batch> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let oldest = now - self.settings.record_age.as_secs_f64();
        let is_old = |record: &Value| {
            let made = record["dynamodb"]["ApproximateCreationDateTime"].as_f64();
            made.is_some_and(|made| made < oldest)
        };
        let (old, records): (Vec<_>, Vec<_>) = batch.records.into_iter().partition(is_old);
        self.discard("RecordAgeExceeded", &old);
        (!records.is_empty()).then_some(Batch { records, retries: batch.retries })
    }

    fn discard(&mut self, condition: &'static str, records: &[Value]) {
        if let (Some(first), Some(last)) = (records.first(), records.last()) {
            let (first, last) = (number(first).to_owned(), number(last).to_owned());
            self.discarded.push(Discarded { condition, first, last, size: records.len() });
        }
    }
}

/// The failures that an answer reports, by their sequence numbers, in the order in which they stand there.
///
/// # Errors
/// It is no answer of that form.
pub fn reported(outcome: &Outcome) -> Result<Vec<String>> {
    let answer = outcome.clone().answer()?;
    let failures = answer["batchItemFailures"].as_array().context("batchItemFailures")?;
    let identifier = |failure: &Value| failure["itemIdentifier"].as_str().map(str::to_owned);
    failures.iter().map(identifier).collect::<Option<_>>().context("an itemIdentifier")
}

/// Rule 1, with the template's pattern: `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"kind":{"S":["order"]}}}}`.
fn matches(record: &Value) -> bool {
    record["eventName"] == "INSERT" && record["dynamodb"]["NewImage"]["kind"]["S"] == "order"
}

/// Rules 3 to 5.
fn next(batch: Batch, outcome: &Outcome, settings: &Settings) -> Next {
    let Batch { mut records, retries } = batch;
    let left = match outcome {
        Outcome::Failed(_) => None,
        Outcome::Answer(answer) => match checkpoint(answer, &records) {
            Checkpoint::End => return Next::Done,
            Checkpoint::At(place) => Some(place),
            Checkpoint::Nowhere => None,
        },
    };
    match left {
        None if records.len() > 1 => {
            let second = records.split_off(records.len() / 2);
            Next::Send([records, second].map(|records| Batch { records, retries }).into())
        }
        _ if retries == settings.retry_attempts => {
            Next::Discard(Batch { records: records.split_off(left.unwrap_or(0)), retries })
        }
        _ => {
            let records = records.split_off(left.unwrap_or(0));
            Next::Send(vec![Batch { records, retries: retries + 1 }])
        }
    }
}

enum Checkpoint {
    /// Behind the batch.
    End,
    /// At the record in this place.
    At(usize),
    /// The whole batch failed.
    Nowhere,
}

fn checkpoint(answer: &Value, records: &[Value]) -> Checkpoint {
    let Some(failures) = answer["batchItemFailures"].as_array() else { return Checkpoint::End };
    let place = |failure: &Value| {
        let identifier = failure["itemIdentifier"].as_str().filter(|identifier| !identifier.is_empty())?;
        records.iter().position(|record| number(record) == identifier)
    };
    match failures.iter().map(place).collect::<Option<Vec<_>>>() {
        None => Checkpoint::Nowhere,
        Some(places) => places.into_iter().min().map_or(Checkpoint::End, Checkpoint::At),
    }
}

fn number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(numbers: std::ops::Range<u32>, retries: u32) -> Batch {
        let record = |number: u32| json!({"dynamodb": {"SequenceNumber": number.to_string()}});
        Batch { records: numbers.map(record).collect(), retries }
    }

    fn reporting(identifiers: &[Value]) -> Outcome {
        let failures: Vec<_> = identifiers.iter().map(|one| json!({"itemIdentifier": one})).collect();
        Outcome::Answer(json!({"batchItemFailures": failures}))
    }

    fn after(numbers: std::ops::Range<u32>, retries: u32, outcome: &Outcome) -> Next {
        next(batch(numbers, retries), outcome, &Settings::TEMPLATE)
    }

    #[test]
    fn no_failures_and_no_list_of_them_are_a_success() {
        for answer in [json!({"batchItemFailures": []}), json!({"batchItemFailures": null}), json!({})] {
            assert_eq!(after(10..20, 0, &Outcome::Answer(answer)), Next::Done);
        }
    }

    #[test]
    fn everything_from_the_lowest_failure_on_is_sent_again() {
        let outcome = reporting(&[json!("17"), json!("13")]);
        assert_eq!(after(10..20, 0, &outcome), Next::Send(vec![batch(13..20, 1)]));
    }

    #[test]
    fn an_identifier_that_names_nothing_fails_the_whole_batch() {
        for nothing in [json!(""), Value::Null, json!("99")] {
            let outcome = reporting(&[json!("13"), nothing]);
            assert_eq!(after(10..20, 2, &outcome), Next::Send(vec![batch(10..15, 2), batch(15..20, 2)]));
        }
    }

    #[test]
    fn a_function_error_halves_the_batch_at_no_cost_until_a_record_stands_alone() {
        let failed = Outcome::Failed(String::new());
        assert_eq!(after(10..13, 5, &failed), Next::Send(vec![batch(10..11, 5), batch(11..13, 5)]));
        assert_eq!(after(10..11, 4, &failed), Next::Send(vec![batch(10..11, 5)]));
        assert_eq!(after(10..11, 5, &failed), Next::Discard(batch(10..11, 5)));
    }

    #[test]
    fn what_is_left_behind_the_checkpoint_is_discarded_when_its_retries_are_used_up() {
        assert_eq!(after(10..20, 5, &reporting(&[json!("18")])), Next::Discard(batch(18..20, 5)));
    }

    #[test]
    fn only_new_orders_match_the_filter() {
        let record = |name: &str, kind: &str| json!({"eventName": name, "dynamodb": {"NewImage": {"kind": {"S": kind}}}});
        assert!(matches(&record("INSERT", "order")));
        assert!(!matches(&record("MODIFY", "order")));
        assert!(!matches(&record("INSERT", "idempotency")));
        assert!(!matches(&json!({"eventName": "REMOVE", "dynamodb": {"Keys": {}}})));
    }
}
