//! Where new orders are published, and where subscriptions live.

use async_trait::async_trait;
use domain::Timestamp;
use domain::attributes::{Attributes, AttributesChange};
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::order::{LoggedOrder, OrderId};
use domain::subscription::{EndReason, Subscription, SubscriptionId, SubscriptionState};
use domain::webhook_secret::WebhookSecret;

use super::{Page, PageRequest};
use crate::Error;

/// Publishes orders to subscriptions. An adapter MUST keep these promises:
///
/// - When [`publish`](Self::publish) answers, every subscription that was confirmed and matched when an order was
///   accepted is owed that order: on one machine by a delivery, on AWS by SNS. Publishing the same orders again is
///   harmless on one machine and at worst a repeat on AWS.
/// - A subscription that was never confirmed is owed nothing but its confirmation.
/// - A change to a subscription holds for the orders accepted after it, and for no earlier one.
#[async_trait]
pub trait Topic: Send + Sync {
    /// Publishes orders that follow one another in the log, from the first unpublished one on.
    async fn publish(&self, orders: &[LoggedOrder]) -> Result<Published, Error>;

    /// Makes a pending subscription and owes it a confirmation, unless its endpoint has one that has not ended.
    async fn subscribe(&self, new: NewSubscription) -> Result<Subscribed, Error>;

    /// The subscription of that id, ended ones included.
    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, Error>;

    /// Subscriptions, newest first.
    async fn subscriptions(&self, query: SubscriptionQuery) -> Result<Page<Subscription>, Error>;

    /// Changes attributes for the orders to come. `Conflict` (`subscription_ended`) once it ended.
    async fn change_attributes(
        &self,
        id: SubscriptionId,
        change: AttributesChange,
    ) -> Result<Subscription, Error>;

    /// Owes a pending subscription another confirmation, `delivery`; the links of earlier ones die.
    /// `Conflict` (`already_confirmed`, `subscription_ended`) when it is not pending.
    async fn resend_confirmation(
        &self,
        id: SubscriptionId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Subscription, Error>;

    /// Ends a subscription: nothing more is sent to it. What is pending for it is cancelled, and told so at once, though a
    /// store may come to its rows later. Ending one that ended already changes nothing.
    async fn unsubscribe(
        &self,
        id: SubscriptionId,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Subscription, Error>;
}

/// What came of publishing a run of orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// How many deliveries are owed because of it, where the host knows.
    pub deliveries: usize,
    /// The orders that no subscription is owed, where the host knows.
    pub unmatched: Vec<OrderId>,
    /// The orders that were not published after all, the others were; why is in the log. Empty where a run is published
    /// as a whole.
    pub failed: Vec<OrderId>,
}

/// A subscription to be made.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// Its id, if it is made.
    pub id: SubscriptionId,
    /// Where its messages go.
    pub endpoint: Endpoint,
    /// What was chosen for it.
    pub attributes: Attributes,
    /// For a webhook.
    pub secret: Option<WebhookSecret>,
    /// The id of its first confirmation.
    pub confirmation: DeliveryId,
    /// When.
    pub now: Timestamp,
}

/// What came of subscribing.
#[derive(Debug, Clone, PartialEq)]
pub enum Subscribed {
    /// It was made, and its confirmation is owed.
    Created(Subscription),
    /// The endpoint has one, with the same attributes; nothing was changed.
    Existing(Subscription),
    /// The endpoint has one, with other attributes; nothing was changed.
    Differs(Subscription),
}

/// Which subscriptions are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriptionQuery {
    /// Only those of this protocol.
    pub protocol: Option<Protocol>,
    /// Only those in this state.
    pub state: Option<SubscriptionState>,
    /// Which page.
    pub page: PageRequest,
}
