//! What speaks a protocol.

use async_trait::async_trait;
use domain::Timestamp;
use domain::attempt::Outcome;
use domain::delivery::{DeliveryId, DeliveryKind};
use domain::endpoint::{Endpoint, Protocol};
use domain::order::Order;
use domain::webhook_secret::WebhookSecret;

/// Sends messages over one protocol. An adapter MUST keep these promises:
///
/// - [`send`](Self::send) always comes to an end, within the channel's own time limits, and never panics.
/// - It answers `Delivered` only if the receiver's side took the message, and `Unknown` whenever it may have.
/// - A repeat of a message carries the same id, so that a receiver can tell.
#[async_trait]
pub trait Channel: Send + Sync {
    /// The protocol it speaks.
    fn protocol(&self) -> Protocol;

    /// How much it does at once.
    fn concurrency(&self) -> Concurrency;

    /// Makes one attempt.
    async fn send(&self, message: &Message) -> Sent;

    /// Finds out, without sending anything, whether a paused channel works again.
    ///
    /// # Errors
    /// What still fails.
    async fn probe(&self) -> Result<(), Outcome>;
}

/// How much a channel does at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// Attempts in flight over the whole channel.
    pub channel: usize,
    /// Attempts in flight to one endpoint.
    pub endpoint: usize,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its outcome.
    pub outcome: Outcome,
    /// The receiver answered a confirmation's challenge itself.
    pub confirmed: bool,
}

/// A message, ready to be put into a protocol's own form.
#[derive(Debug, Clone)]
pub struct Message {
    /// The delivery: its Message-ID, its `webhook-id`.
    pub id: DeliveryId,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// Signs it, for a webhook.
    pub secret: Option<WebhookSecret>,
    /// When this attempt is made.
    pub at: Timestamp,
    /// What it says.
    pub content: Content,
}

/// What a message says.
#[derive(Debug, Clone)]
pub enum Content {
    /// A new order.
    Notification {
        /// The order; its subject, text and structured form are [`domain::notification`]'s.
        order: Box<Order>,
        /// Ends the subscription.
        unsubscribe_url: String,
    },
    /// The question whether the endpoint's owner wants the subscription.
    Confirmation {
        /// A page whose button confirms; the question for people.
        confirm_url: String,
        /// What the receiver must repeat; the question for programs.
        challenge: String,
        /// Until when.
        expires_at: Timestamp,
    },
}

impl Content {
    /// The kind of delivery that carries it.
    #[must_use]
    pub fn kind(&self) -> DeliveryKind {
        match self {
            Self::Notification { .. } => DeliveryKind::Notification,
            Self::Confirmation { .. } => DeliveryKind::Confirmation,
        }
    }

    /// Its subject.
    #[must_use]
    pub fn subject(&self) -> &'static str {
        match self {
            Self::Notification { .. } => domain::notification::SUBJECT,
            Self::Confirmation { .. } => "Confirm your subscription to new orders",
        }
    }

    /// Its text, without [`link`](Self::link).
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Notification { order, .. } => domain::notification::text(order),
            Self::Confirmation { expires_at, .. } => format!(
                "Someone asked for this address to be told of new orders.\nTo receive them, open the link below and \
                 confirm by {}.\nIf it was not you, do nothing: you will not hear from us.",
                expires_at.strftime("%Y-%m-%d %H:%M UTC")
            ),
        }
    }

    /// The link it carries: to confirm, or to unsubscribe.
    #[must_use]
    pub fn link(&self) -> &str {
        match self {
            Self::Notification { unsubscribe_url, .. } => unsubscribe_url,
            Self::Confirmation { confirm_url, .. } => confirm_url,
        }
    }
}
