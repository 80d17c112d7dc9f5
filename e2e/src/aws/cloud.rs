//! A deployment: a table, a topic, the HTTP function behind a gateway, and the functions that publish.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Duration, sleep};

use super::emulators;
use super::event_source_mapping::{EventSourceMapping, Settings as MappingSettings};
use super::fault_proxy::FaultProxy;
use super::function::Function;
use super::gateway::Gateway;
use super::table::Table;
use super::topic::Topic;
use crate::client::Client;
use crate::program::Settings;

/// The admin key of every deployment, and its SHA-256.
const ADMIN_KEY: &str = "the scenarios' admin key";
const ADMIN_KEY_HASH: &str = "fac9a3c5655f1f9ecc82132b8d0d7892b2f6ebb3ce5e7226b2d1c25c45cf0bf3";

/// How often the mapping looks at the stream: the base rate that AWS documents is four times a second.
const POLL: Duration = Duration::from_millis(100);

/// A deployment on the emulators.
#[derive(Debug)]
pub struct Cloud {
    /// Its table.
    pub table: Table,
    /// Its topic.
    pub topic: Topic,
    /// What its functions take for DynamoDB.
    pub dynamodb: FaultProxy,
    /// What its functions take for SNS.
    pub sns: FaultProxy,
    /// Its HTTP function.
    pub http: Arc<Function>,
    gateway: Gateway,
}

impl Cloud {
    /// Deploys with a new table as our template makes it.
    ///
    /// # Errors
    /// The emulators do not run, or the program does not start.
    pub async fn start() -> Result<Self> {
        Self::with_table(Table::create().await?).await
    }

    /// Deploys with a table that is there.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn with_table(table: Table) -> Result<Self> {
        let topic = Topic::create().await?;
        let dynamodb = FaultProxy::start(emulators::dynamodb()?).await?;
        let sns = FaultProxy::start(emulators::moto()?).await?;
        let settings = settings(&table, &topic, &dynamodb, &sns);
        let http = Arc::new(Function::start("http", &settings).await?);
        let gateway = Gateway::start(Arc::clone(&http)).await?;
        Ok(Self { table, topic, dynamodb, sns, http, gateway })
    }

    /// Starts another of its functions: `stream` or `sweep`, or another environment of `http`.
    ///
    /// # Errors
    /// The program does not start.
    pub async fn function(&self, handler: &str) -> Result<Function> {
        let settings = settings(&self.table, &self.topic, &self.dynamodb, &self.sns);
        Function::start(handler, &settings).await
    }

    /// A mapping from its table's stream, with the template's settings.
    ///
    /// # Errors
    /// The table's stream is off.
    pub async fn mapping(&self) -> Result<EventSourceMapping> {
        EventSourceMapping::of(&self.table, MappingSettings::TEMPLATE).await
    }

    /// Publishes new orders from now on, as the event source mapping does.
    ///
    /// # Errors
    /// The program does not start, or the table's stream is off.
    pub async fn publish(&self) -> Result<StreamPublisher> {
        let function = self.function("stream").await?;
        let mut mapping = self.mapping().await?;
        Ok(StreamPublisher(tokio::spawn(async move {
            loop {
                if let Err(error) = mapping.drain(&function).await {
                    eprintln!("the event source mapping: {error:#}");
                }
                sleep(POLL).await;
            }
        })))
    }

    /// Runs the sweep once, as its schedule does, and gives its answer.
    ///
    /// # Errors
    /// The program does not start, or the sweep fails.
    pub async fn sweep(&self) -> Result<Value> {
        let schedule = json!({"version": "0", "source": "aws.scheduler", "detail-type": "Scheduled Event"});
        self.function("sweep").await?.invoke(&schedule).await?.answer()
    }

    /// Hands the HTTP function the recipe's test event, and gives the order's id.
    ///
    /// # Errors
    /// The answer is not the recipe's.
    pub async fn place_the_seeds_order(&self) -> Result<String> {
        let event = json!({"body": r#"{"customerName": "John Doe", "productName": "Wireless Mouse"}"#});
        let answer = self.http.invoke(&event).await?.answer()?;
        ensure!(answer["statusCode"] == 200, "{answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
        ensure!(body["message"] == "Order placed successfully", "{body}");
        Ok(body["orderId"].as_str().unwrap_or_default().to_owned())
    }

    /// A client that holds the admin key.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn client(&self) -> Result<Client> {
        Client::new(self.gateway.url(), Some(ADMIN_KEY))
    }

    /// A client that holds no key.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn stranger(&self) -> Result<Client> {
        Client::new(self.gateway.url(), None)
    }
}

/// Publishes orders until it is dropped.
#[derive(Debug)]
pub struct StreamPublisher(JoinHandle<()>);

impl Drop for StreamPublisher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn settings(table: &Table, topic: &Topic, dynamodb: &FaultProxy, sns: &FaultProxy) -> Settings {
    vec![
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url().to_owned()),
        ("AWS_ENDPOINT_URL_SNS", sns.url().to_owned()),
        ("ORDERBELL_TABLE", table.name.clone()),
        ("ORDERBELL_TABLE_KEY", table.key.clone()),
        ("ORDERBELL_TOPIC_ARN", topic.arn.clone()),
        ("ORDERBELL_INTAKE", "open".to_owned()),
        ("ORDERBELL_ADMIN_KEY_HASH", ADMIN_KEY_HASH.to_owned()),
    ]
}
