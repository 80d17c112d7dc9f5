//! Tables in the emulators that `cargo xtask emulators` starts.
#![allow(dead_code, clippy::unwrap_used, reason = "all of it is for tests, and each takes what it needs")]

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use application::ports::Clock;
use aws::{Table, TableOptions, connect};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
};
use domain::Timestamp;
use domain::order::{Order, OrderDetails, OrderId};
use host::SystemClock;

/// The variables that hold the emulators' addresses.
pub(crate) const DYNAMODB_LOCAL: &str = "ORDERBELL_TEST_DYNAMODB";
pub(crate) const MOTO: &str = "ORDERBELL_TEST_MOTO";

/// Where an emulator listens.
pub(crate) fn address(emulator: &str) -> String {
    env::var(emulator).expect("the emulators run: cargo xtask emulators -- cargo test …")
}

/// A client for what listens at that address.
pub(crate) fn client(address: &str) -> Client {
    let env = |name: &str| {
        let value = match name {
            "AWS_REGION" => "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB" => address,
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "emulated",
            _ => return None,
        };
        Some(value.to_owned())
    };
    connect::clients(&env).unwrap().dynamodb
}

/// A table as our template makes it, with nothing in it.
pub(crate) async fn table(emulator: &str) -> Table {
    named_table(emulator).await.0
}

/// As [`table`], with its name.
pub(crate) async fn named_table(emulator: &str) -> (Table, String) {
    let client = client(&address(emulator));
    let name = create(&client).await;
    let options = TableOptions { name: name.clone(), key: TableOptions::KEY.to_owned() };
    (Table::new(client, options, Arc::new(SystemClock)), name)
}

/// Makes a table as our template does: key, indexes, stream and time to live; answers its name.
pub(crate) async fn create(client: &Client) -> String {
    let name = format!("orders-{}", random());
    let stream =
        StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewImage);
    client
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some([TableOptions::KEY, "newest", "unpublished"].map(string).into()))
        .key_schema(key(TableOptions::KEY, KeyType::Hash))
        .global_secondary_indexes(index("newest"))
        .global_secondary_indexes(index("unpublished"))
        .stream_specification(stream.build().unwrap())
        .send()
        .await
        .unwrap();
    let expiry = TimeToLiveSpecification::builder().enabled(true).attribute_name("expiresAt");
    let expiry = expiry.build().unwrap();
    client.update_time_to_live().table_name(&name).time_to_live_specification(expiry).send().await.unwrap();
    name
}

/// Makes a table as the recipe's steps in the console do, though under a name of its own; answers what and where it is.
pub(crate) async fn create_as_the_seed_did(client: &Client) -> TableOptions {
    let options = TableOptions { name: format!("FileMetaData-{}", random()), key: "FileName".to_owned() };
    client
        .create_table()
        .table_name(&options.name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(string(&options.key))
        .key_schema(key(&options.key, KeyType::Hash))
        .send()
        .await
        .unwrap();
    options
}

fn string(name: &str) -> AttributeDefinition {
    let definition = AttributeDefinition::builder().attribute_name(name);
    definition.attribute_type(ScalarAttributeType::S).build().unwrap()
}

fn key(name: &str, r#type: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(r#type).build().unwrap()
}

fn index(name: &str) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(key(name, KeyType::Hash))
        .key_schema(key(TableOptions::KEY, KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .unwrap()
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

pub(crate) fn order() -> Order {
    order_at(now())
}

pub(crate) fn order_at(time: Timestamp) -> Order {
    let time = Timestamp::from_microsecond(time.as_microsecond()).unwrap();
    let details = OrderDetails::parse(br#"{"customerName":"Ada","productName":"Wireless Mouse"}"#).unwrap();
    let mut chance = [0; 10];
    chance[2..].copy_from_slice(&random().to_ne_bytes());
    Order { id: OrderId::new(time, chance), time, details, request_id: "req-1".to_owned() }
}

pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}
