//! The two deployments, as a scenario that is written once sees them.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::aws::cloud::{Cloud, StreamPublisher};
use crate::client::Client;
use crate::program::Program;
use crate::receiver::{Received, Receiver};

/// A running deployment with nothing in it.
#[derive(Debug)]
pub enum Deployment {
    /// The `orderbell` program on this machine.
    OneMachine(Program),
    /// The Lambda program, its table and its topic, emulated.
    Aws(Box<Cloud>, StreamPublisher),
}

impl Deployment {
    /// Starts the one machine.
    ///
    /// # Errors
    /// It does not start.
    pub async fn one_machine() -> Result<Self> {
        let pages = ("ORDERBELL_CORS_ALLOW_ORIGINS", "*".to_owned());
        Program::start([Receiver::settings(), vec![pages]].concat()).await.map(Self::OneMachine)
    }

    /// Deploys to the emulators.
    ///
    /// # Errors
    /// They do not run, or the program does not start.
    pub async fn aws() -> Result<Self> {
        let cloud = Cloud::start().await?;
        let announcer = cloud.publish().await?;
        Ok(Self::Aws(Box::new(cloud), announcer))
    }

    /// A client that holds the admin key.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn client(&self) -> Result<Client> {
        match self {
            Self::OneMachine(program) => program.client(),
            Self::Aws(cloud, _) => cloud.client(),
        }
    }

    /// A client that holds no key.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn stranger(&self) -> Result<Client> {
        match self {
            Self::OneMachine(program) => program.stranger(),
            Self::Aws(cloud, _) => cloud.stranger(),
        }
    }

    /// Subscribes a receiver through the routes, and gives the subscription once it is confirmed: on one machine by the
    /// receiver's repeating the challenge, on AWS by moto, which asks nobody.
    ///
    /// # Errors
    /// It is refused, or not confirmed soon.
    pub async fn subscribe(&self, receiver: &Receiver, path: &str, policy: Option<Value>) -> Result<Value> {
        let client = self.client()?;
        let mut wanted = json!({"protocol": "webhook", "endpoint": receiver.url(path)});
        if let Some(policy) = policy {
            wanted["filterPolicy"] = policy;
        }
        let made = client.post("/subscriptions", &wanted).await?.expect(201)?;
        let id = made["subscriptionId"].as_str().context("a subscriptionId")?;
        client.wait_for_subscription(id, "confirmed").await?;
        Ok(made)
    }

    /// The notification in what a receiver got: the body itself on one machine, the message in SNS's envelope on AWS.
    ///
    /// # Errors
    /// It is none.
    pub fn notification(&self, received: &Received) -> Result<Value> {
        let body = received.json();
        match self {
            Self::OneMachine(_) => Ok(body),
            Self::Aws(..) => in_envelope(&body),
        }
    }
}

/// The message in SNS's envelope.
///
/// # Errors
/// It is no notification of SNS's.
pub fn in_envelope(envelope: &Value) -> Result<Value> {
    anyhow::ensure!(envelope["Type"] == "Notification", "no notification: {envelope}");
    Ok(serde_json::from_str(envelope["Message"].as_str().context("a message")?)?)
}
