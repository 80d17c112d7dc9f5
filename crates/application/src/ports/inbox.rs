//! The sandbox inbox: messages that did not leave the machine.

use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryKind};
use domain::endpoint::Protocol;
use serde::Serialize;

use super::{Message, Page, PageRequest};
use crate::Error;

/// Keeps messages for a person to read.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Keeps a message; keeping it again replaces it.
    async fn keep(&self, message: InboxMessage) -> Result<(), Error>;

    /// The message of that delivery.
    async fn message(&self, id: DeliveryId) -> Result<Option<InboxMessage>, Error>;

    /// Messages, newest first.
    async fn messages(&self, page: PageRequest) -> Result<Page<InboxMessage>, Error>;
}

/// A message in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InboxMessage {
    /// The delivery it is.
    pub id: DeliveryId,
    /// What would have carried it.
    pub protocol: Protocol,
    /// Whom it is for.
    pub to: String,
    /// What it carries.
    pub kind: DeliveryKind,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// The page of the order that it tells of, if it tells of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_url: Option<String>,
    /// The link it carries, if any: to confirm, or to unsubscribe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// When it was kept.
    pub at: Timestamp,
}

impl InboxMessage {
    /// What is kept of a message that goes nowhere.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self {
            id: message.id,
            protocol: message.endpoint.protocol(),
            to: message.endpoint.to_string(),
            kind: message.content.kind(),
            subject: message.content.mail_subject(&message.reader).into_owned(),
            text: message.content.text(&message.reader),
            order_url: message.content.order_url().map(str::to_owned),
            link: message.content.link().map(str::to_owned),
            at: message.at,
        }
    }
}
