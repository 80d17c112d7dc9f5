//! The three functions around one table of DynamoDB Local and one topic of moto.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use application::ports::{Clock, OrderLog, OrderStore, Randomness};
use aws::connect::Clients;
use aws::{Table, TableOptions};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    Projection, ProjectionType, ScalarAttributeType,
};
use domain::order::{Order, OrderDetails, OrderId};
use host::{SystemClock, SystemRandomness};
use serde_json::{Value, json};

use crate::function::{Function, Kind, request};

mod function;

/// A table, a topic, and a subscriber of the topic.
struct Deployment {
    dynamodb: aws_sdk_dynamodb::Client,
    table: Table,
    variables: HashMap<&'static str, String>,
    /// What the subscriber was told.
    told: Receiver<Value>,
}

fn environment(name: &str) -> Option<String> {
    match name {
        "AWS_ENDPOINT_URL_DYNAMODB" => std::env::var("ORDERBELL_TEST_DYNAMODB").ok(),
        "AWS_ENDPOINT_URL_SNS" => std::env::var("ORDERBELL_TEST_MOTO").ok(),
        "AWS_REGION" => Some("us-east-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        _ => None,
    }
}

impl Deployment {
    async fn new() -> Self {
        let name = format!("Orders-{}", random());
        let Clients { dynamodb, sns } = aws::connect::clients(&environment).unwrap();
        create_table(&dynamodb, &name).await;
        let options = TableOptions { name: name.clone(), key: "orderId".to_owned() };
        let table = Table::new(dynamodb.clone(), options, Arc::new(SystemClock));
        let (url, told) = subscriber();
        let topic = sns.create_topic().name(&name).send().await.unwrap().topic_arn.unwrap();
        sns.subscribe().topic_arn(&topic).protocol("http").endpoint(url).send().await.unwrap();
        let mut variables: HashMap<_, _> = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SNS"]
            .map(|name| (name, environment(name).expect("run by `cargo xtask emulators`")))
            .into();
        variables.extend([("ORDERBELL_TABLE", name), ("ORDERBELL_TOPIC_ARN", topic)]);
        Self { dynamodb, table, variables, told }
    }

    /// One of the functions, with `changes` to its environment.
    fn function(&self, handler: &str, changes: &[(&str, &str)]) -> Function {
        let variables = self.variables.iter().map(|(name, value)| (*name, value.as_str()));
        let own = [("_HANDLER", handler), ("ORDERBELL_INTAKE", "open")];
        Function::start(&variables.chain(own).chain(changes.iter().copied()).collect::<Vec<_>>())
    }

    /// Stores orders, placed so long ago.
    async fn accepted(&self, count: usize, ago: Duration) -> Vec<OrderId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let time = SystemClock.now() - ago;
            let id = OrderId::new(time, random().as_bytes()[..10].try_into().unwrap());
            let details =
                OrderDetails::parse(br#"{"customerName":"John Doe","productName":"Wireless Mouse"}"#)
                    .unwrap();
            let order = Order { id, time, details, request_id: "8f5e".to_owned() };
            self.table.accept(order, None).await.unwrap();
            ids.push(id);
        }
        ids
    }

    /// The record with which the table's stream tells of an order, in the form in which Lambda hands it over.
    async fn record(&self, id: OrderId, sequence_number: usize) -> Value {
        let name = &self.variables["ORDERBELL_TABLE"];
        let key = AttributeValue::S(id.to_string());
        let item =
            self.dynamodb.get_item().table_name(name).key("orderId", key).send().await.unwrap().item.unwrap();
        let image: serde_json::Map<_, _> =
            item.into_iter().map(|(name, value)| (name, as_json(&value))).collect();
        json!({ "eventName": "INSERT",
            "dynamodb": { "SequenceNumber": sequence_number.to_string(), "NewImage": image } })
    }

    /// The orders that the subscriber has been told of.
    fn told(&self) -> Vec<String> {
        let ids = self.told.try_iter().map(|message| {
            let text = message["Message"].as_str().unwrap_or_default().to_owned();
            let structured: Value = serde_json::from_str(&text).unwrap_or_default();
            structured["data"]["orderId"].as_str().unwrap_or(&text).to_owned()
        });
        ids.collect()
    }
}

/// The values that an order's item has.
fn as_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        other => panic!("{other:?}"),
    }
}

fn random() -> String {
    let randomness: &dyn Randomness = &SystemRandomness;
    uuid::Uuid::from_bytes(randomness.bytes()).simple().to_string()
}

async fn create_table(dynamodb: &aws_sdk_dynamodb::Client, name: &str) {
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let mut table = dynamodb
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("orderId", KeyType::Hash));
    for name in ["orderId", "newest", "unpublished"] {
        let attribute =
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        table = table.attribute_definitions(attribute.build().unwrap());
    }
    for name in ["newest", "unpublished"] {
        let index = GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(name, KeyType::Hash))
            .key_schema(key("orderId", KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::All).build());
        table = table.global_secondary_indexes(index.build().unwrap());
    }
    table.send().await.unwrap();
}

/// An HTTP subscriber: its address, and what it is told.
fn subscriber() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (telling, told) = channel();
    thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            let Some((_, body)) = request(&mut BufReader::new(connection.try_clone().unwrap())) else {
                continue;
            };
            let _ =
                connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            if telling.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, told)
}

fn failures((kind, answer): (Kind, Value)) -> Vec<String> {
    assert_eq!(kind, Kind::Response, "{answer}");
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_order_that_one_function_took_is_published_once_by_the_other() {
    let deployment = Deployment::new().await;
    let http = deployment.function("http", &[]);
    let order = r#"{"customerName":"John Doe","productName":"Wireless Mouse"}"#;
    let (_, answer) = http.invoke(json!({ "body": order }));
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let id: OrderId = body["orderId"].as_str().unwrap().parse().unwrap();
    assert_eq!(http.line(|line| line["OrdersAccepted"] == 1)["requestId"], "8f5e1b52-lambda");
    assert_eq!(deployment.table.order(id).await.unwrap().unwrap().request_id, "8f5e1b52-lambda");

    let stream = deployment.function("stream", &[]);
    let batch = json!({ "Records": [deployment.record(id, 1).await] });
    for _ in 0..2 {
        assert_eq!(failures(stream.invoke(batch.clone())), [""; 0]);
    }
    assert_eq!(deployment.told(), [id.to_string()]);
    assert!(deployment.table.already_published(&[id]).await.unwrap().contains(&id));
}

#[cfg(feature = "publish-in-request")]
#[tokio::test]
async fn the_request_publishes_only_where_a_comparison_asks_for_it_and_the_stream_repeats_nothing() {
    let order = json!({ "body": r#"{"customerName":"John Doe","productName":"Wireless Mouse"}"# });
    for (asked, count) in [("", 0), ("yes", 1)] {
        let deployment = Deployment::new().await;
        let http = deployment.function("http", &[("ORDERBELL_PUBLISH_IN_REQUEST", asked)]);
        let (_, answer) = http.invoke(order.clone());
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(deployment.told().len(), count);

        let batch = deployment.record(body["orderId"].as_str().unwrap().parse().unwrap(), 1).await;
        let stream = deployment.function("stream", &[]);
        assert_eq!(failures(stream.invoke(json!({ "Records": [batch] }))), [""; 0]);
        assert_eq!(deployment.told().len(), 1 - count);
    }
}

#[tokio::test]
async fn a_poison_record_among_a_hundred_keeps_no_order_from_being_published_once() {
    const POISON: usize = 30;
    let deployment = Deployment::new().await;
    let ids = deployment.accepted(100, Duration::ZERO).await;
    let mut records = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        records.push(deployment.record(*id, 100 + number).await);
    }
    records[POISON]["dynamodb"]["NewImage"]["details"] = json!({ "S": "{" });
    let stream = deployment.function("stream", &[]);
    assert_eq!(failures(stream.invoke(json!({ "Records": records }))), ["130"]);
    let (kind, error) = stream.invoke(json!({ "Records": records[POISON..] }));
    assert_eq!((kind, &error["errorType"]), (Kind::Error, &json!("Orderbell.PoisonRecord")));
    assert_eq!(failures(stream.invoke(json!({ "Records": [records[POISON]] }))), ["130"]);

    let told: Vec<_> = deployment.told();
    assert_eq!(told.len(), 99);
    let left = deployment.table.unpublished(10).await.unwrap();
    assert_eq!(left.iter().map(|logged| logged.order.id).collect::<Vec<_>>(), [ids[POISON]]);
}

#[tokio::test]
async fn what_a_failing_topic_left_behind_is_swept_up_once_it_works_again() {
    let deployment = Deployment::new().await;
    let old = deployment.accepted(25, Duration::from_mins(20)).await;
    let young = deployment.accepted(1, Duration::ZERO).await;
    let missing = [("ORDERBELL_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:missing")];
    let batch =
        json!({ "Records": [deployment.record(old[0], 1).await, deployment.record(old[1], 2).await] });
    assert_eq!(failures(deployment.function("stream", &missing).invoke(batch)), ["1", "2"]);

    let broken = deployment.function("sweep", &missing);
    let (kind, swept) = broken.invoke(json!({ "source": "aws.scheduler" }));
    assert_eq!((kind, &swept["left"], &swept["failed"]), (Kind::Response, &json!(25), &json!(25)), "{swept}");
    assert!(swept["oldestSeconds"].as_u64().unwrap() >= 600, "{swept}");
    assert_eq!(broken.line(|line| line["UnpublishedOrders"] == 25.0)["PublishFailures"], 25);

    let sweep = deployment.function("sweep", &[]);
    let (_, swept) = sweep.invoke(json!({}));
    assert_eq!(
        swept,
        json!({ "published": 25, "failed": 0, "unreadable": 0, "left": 0, "oldestSeconds": 0 })
    );
    sweep.line(|line| line["UnpublishedOrders"] == 0.0);
    assert_eq!(deployment.told().len(), 25);
    let left = deployment.table.unpublished(10).await.unwrap();
    assert_eq!(
        left.iter().map(|logged| logged.order.id).collect::<Vec<_>>(),
        young,
        "it is the stream's yet"
    );
}

#[tokio::test]
async fn two_sweeps_at_once_publish_each_order_once() {
    let deployment = Deployment::new().await;
    let old = deployment.accepted(60, Duration::from_mins(20)).await;
    let sweeps = [deployment.function("sweep", &[]), deployment.function("sweep", &[])];
    let answers: Vec<_> = thread::scope(|scope| {
        let invoke =
            |sweep: Function| scope.spawn(move || sweep.invoke(json!({ "source": "aws.scheduler" })));
        let asked = sweeps.map(invoke);
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|(kind, _)| *kind == Kind::Response), "{answers:?}");
    let published: u64 = answers.iter().filter_map(|(_, swept)| swept["published"].as_u64()).sum();
    assert_eq!(published, 60, "{answers:?}");
    let mut told = deployment.told();
    told.sort();
    let mut placed: Vec<_> = old.iter().map(ToString::to_string).collect();
    placed.sort();
    assert_eq!(told, placed);
}

#[tokio::test]
async fn a_sweep_that_died_holds_up_the_others_until_its_time_is_over_and_no_longer() {
    let deployment = Deployment::new().await;
    deployment.accepted(1, Duration::from_mins(20)).await;
    let now = SystemClock.now();
    let sweep = deployment.function("sweep", &[]);
    assert!(deployment.table.take_lease("sweep", "died", now + Duration::from_mins(5)).await.unwrap());
    assert_eq!(sweep.invoke(json!({})).1, json!({ "leftToAnother": true }));
    assert!(deployment.told().is_empty());
    assert!(deployment.table.take_lease("sweep", "died", now - Duration::from_secs(6)).await.unwrap());
    assert_eq!(sweep.invoke(json!({})).1["published"], 1);
    assert_eq!(deployment.told().len(), 1);
    assert!(deployment.table.take_lease("sweep", "next", now).await.unwrap(), "a lease outlived its sweep");
}
