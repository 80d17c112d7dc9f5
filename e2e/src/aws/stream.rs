//! A table's stream, read to its end.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::emulators::{REGION, call_dynamodb};
use super::table::Table;

/// How often a read is begun anew that DynamoDB Local refuses because the shard changed under it.
const TRIES: usize = 5;

/// The records of a table's stream that were not read yet.
#[derive(Debug)]
pub struct Stream {
    arn: String,
    shards: Vec<Shard>,
}

/// A part of the stream, and how far it was read.
#[derive(Debug)]
struct Shard {
    id: String,
    last_read: Option<String>,
}

impl Stream {
    /// The stream of a table, from its oldest record on (`TRIM_HORIZON`).
    ///
    /// # Errors
    /// The table has none.
    pub async fn of(table: &Table) -> Result<Self> {
        Ok(Self { arn: table.stream_arn().await?, shards: Vec::new() })
    }

    /// The records that came since it was last read, in the form in which Lambda gets them.
    ///
    /// # Errors
    /// DynamoDB Local refuses.
    pub async fn read(&mut self) -> Result<Vec<Value>> {
        self.find_shards().await?;
        let mut all = Vec::new();
        for shard in &mut self.shards {
            let records = read_shard(&self.arn, shard).await?;
            if let Some(last) = records.last() {
                shard.last_read = last["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned);
            }
            all.extend(records);
        }
        for record in &mut all {
            record["eventSourceARN"] = self.arn.clone().into();
            record["awsRegion"] = REGION.into();
        }
        Ok(all)
    }

    async fn find_shards(&mut self) -> Result<()> {
        let described = call("DescribeStream", json!({"StreamArn": self.arn})).await?;
        for shard in described["StreamDescription"]["Shards"].as_array().context("shards")? {
            let id = shard["ShardId"].as_str().context("a shard's id")?;
            if !self.shards.iter().any(|known| known.id == id) {
                self.shards.push(Shard { id: id.to_owned(), last_read: None });
            }
        }
        Ok(())
    }
}

/// What follows the last record that was read. An iterator taken while a shard was empty is refused by DynamoDB Local
/// once the first record is there, so that each read takes a new one.
async fn read_shard(stream: &str, shard: &Shard) -> Result<Vec<Value>> {
    let mut tries = TRIES;
    loop {
        tries -= 1;
        match read_shard_once(stream, shard).await {
            Err(error) if tries > 0 && format!("{error:#}").contains("TrimmedDataAccessException") => {}
            outcome => return outcome,
        }
    }
}

async fn read_shard_once(stream: &str, shard: &Shard) -> Result<Vec<Value>> {
    let mut from = json!({"StreamArn": stream, "ShardId": shard.id, "ShardIteratorType": "TRIM_HORIZON"});
    if let Some(last) = &shard.last_read {
        from["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER".into();
        from["SequenceNumber"] = last.as_str().into();
    }
    let mut iterator = call("GetShardIterator", from).await?["ShardIterator"].take();
    let mut all = Vec::new();
    while !iterator.is_null() {
        let mut output = call("GetRecords", json!({"ShardIterator": iterator})).await?;
        iterator = output["NextShardIterator"].take();
        let records = output["Records"].as_array_mut().context("records")?;
        if records.is_empty() {
            break;
        }
        all.append(records);
    }
    Ok(all)
}

async fn call(operation: &str, input: Value) -> Result<Value> {
    call_dynamodb(&format!("DynamoDBStreams_20120810.{operation}"), &input).await
}
