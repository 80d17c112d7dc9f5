//! Tables of DynamoDB Local.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::emulators::call_dynamodb;

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The name of its key attribute.
    pub key: String,
}

impl Table {
    /// A new table under a name of its own, as our template makes it.
    ///
    /// # Errors
    /// DynamoDB Local refuses.
    pub async fn create() -> Result<Self> {
        let table = Self { name: unique("orders"), key: "orderId".to_owned() };
        let string = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
        let part = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        let index = |name: &str| {
            json!({"IndexName": name, "KeySchema": [part(name, "HASH"), part(&table.key, "RANGE")],
                   "Projection": {"ProjectionType": "ALL"}})
        };
        let input = json!({
            "TableName": table.name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [string(&table.key), string("newest"), string("unpublished")],
            "KeySchema": [part(&table.key, "HASH")],
            "GlobalSecondaryIndexes": [index("newest"), index("unpublished")],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        });
        table.call("CreateTable", input).await?;
        Ok(table)
    }

    /// The table of the recipe's console steps, under the recipe's names; its stream is off.
    ///
    /// # Errors
    /// It is there already, or DynamoDB Local refuses.
    pub async fn create_as_the_seed_does() -> Result<Self> {
        let table = Self { name: "FileMetaData".to_owned(), key: "FileName".to_owned() };
        let input = json!({
            "TableName": table.name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": table.key, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": table.key, "KeyType": "HASH"}],
        });
        table.call("CreateTable", input).await?;
        Ok(table)
    }

    /// Turns its stream on, as an operator does in the console.
    ///
    /// # Errors
    /// DynamoDB Local refuses.
    pub async fn turn_stream_on(&self) -> Result<()> {
        let on = json!({"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"});
        self.call("UpdateTable", json!({"TableName": self.name, "StreamSpecification": on})).await?;
        Ok(())
    }

    /// The ARN of its stream.
    ///
    /// # Errors
    /// It has none.
    pub async fn stream_arn(&self) -> Result<String> {
        let described = self.call("DescribeTable", json!({"TableName": self.name})).await?;
        described["Table"]["LatestStreamArn"].as_str().map(str::to_owned).context("a stream")
    }

    /// Puts an item whose attributes are all strings, beside its key.
    ///
    /// # Errors
    /// DynamoDB Local refuses.
    pub async fn put(&self, key: &str, attributes: &[(&str, &str)]) -> Result<()> {
        let all = attributes.iter().copied().chain([(self.key.as_str(), key)]);
        let item: Value = all.map(|(name, text)| (name.to_owned(), json!({"S": text}))).collect();
        self.call("PutItem", json!({"TableName": self.name, "Item": item})).await?;
        Ok(())
    }

    /// Sets one attribute of an item that is there to a string.
    ///
    /// # Errors
    /// There is no such item, or DynamoDB Local refuses.
    pub async fn set(&self, key: &str, attribute: &str, text: &str) -> Result<()> {
        let input = json!({
            "TableName": self.name, "Key": {&self.key: {"S": key}},
            "UpdateExpression": "SET #a = :a", "ConditionExpression": "attribute_exists(#k)",
            "ExpressionAttributeNames": {"#a": attribute, "#k": self.key},
            "ExpressionAttributeValues": {":a": {"S": text}},
        });
        self.call("UpdateItem", input).await?;
        Ok(())
    }

    /// An item, in DynamoDB's JSON; an error if it is not there.
    ///
    /// # Errors
    /// It is not there, or DynamoDB Local refuses.
    pub async fn item(&self, key: &str) -> Result<Value> {
        let input = json!({"TableName": self.name, "Key": {&self.key: {"S": key}}, "ConsistentRead": true});
        let mut output = self.call("GetItem", input).await?;
        ensure!(output["Item"].is_object(), "there is no item {key}");
        Ok(output["Item"].take())
    }

    /// The keys of the orders in it, in no order.
    ///
    /// # Errors
    /// DynamoDB Local refuses.
    pub async fn orders(&self) -> Result<Vec<String>> {
        let input = json!({
            "TableName": self.name, "ConsistentRead": true, "FilterExpression": "kind = :kind",
            "ExpressionAttributeValues": {":kind": {"S": "order"}},
        });
        let output = self.call("Scan", input).await?;
        ensure!(output["LastEvaluatedKey"].is_null(), "more than one page of orders");
        let items = output["Items"].as_array().context("items")?;
        Ok(items.iter().filter_map(|item| item[&self.key]["S"].as_str()).map(str::to_owned).collect())
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value> {
        call_dynamodb(&format!("DynamoDB_20120810.{operation}"), &input).await
    }
}

/// A name that nothing else has.
pub(super) fn unique(what: &str) -> String {
    format!("{what}-{:016x}", fastrand::u64(..))
}
