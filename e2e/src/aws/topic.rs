//! Topics of moto, and those who subscribe to them past our own routes.

use anyhow::{Context, Result};

use super::emulators::call_sns;
use super::table::unique;
use crate::receiver::Receiver;

/// A topic.
#[derive(Debug, Clone)]
pub struct Topic {
    /// Its ARN.
    pub arn: String,
}

impl Topic {
    /// A new topic under a name of its own.
    ///
    /// # Errors
    /// moto refuses.
    pub async fn create() -> Result<Self> {
        let answer = call_sns("CreateTopic", &[("Name", &unique("orders"))]).await?;
        Ok(Self { arn: between(&answer, "<TopicArn>", "</TopicArn>").context("an ARN")?.to_owned() })
    }

    /// Subscribes a receiver in AWS's own way, as the recipe's console steps do. moto confirms it at once.
    ///
    /// # Errors
    /// moto refuses.
    pub async fn subscribe(&self, receiver: &Receiver) -> Result<()> {
        let endpoint = receiver.url("/sns");
        let parameters = [("TopicArn", &*self.arn), ("Protocol", "http"), ("Endpoint", &endpoint)];
        call_sns("Subscribe", &parameters).await?;
        Ok(())
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(inner, _)| inner)
}
