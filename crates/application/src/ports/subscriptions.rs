//! Where subscriptions live.

use async_trait::async_trait;
use domain::Timestamp;
use domain::attributes::{Attributes, AttributesChange};
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::subscription::{EndReason, Subscription, SubscriptionId, SubscriptionState, SuspensionReason};
use domain::webhook_secret::WebhookSecret;

use super::{Page, PageRequest};
use crate::Error;

/// Keeps subscriptions. An adapter MUST keep this promise: a change to a subscription holds for the orders accepted
/// after it, and for no earlier one.
#[async_trait]
pub trait Subscriptions: Send + Sync {
    /// Makes a pending subscription and its confirmation request, unless its endpoint has one that has not ended.
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

    /// Makes another confirmation request, `delivery`, for a pending subscription; the links of earlier ones die.
    /// `Conflict` (`already_confirmed`, `subscription_ended`) when it is not pending.
    async fn resend_confirmation(
        &self,
        id: SubscriptionId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Subscription, Error>;

    /// Ends a subscription: nothing more is sent to it. What is pending for it is cancelled, and told so at once,
    /// though a store may come to its rows later. Ending one that ended already changes nothing.
    async fn unsubscribe(
        &self,
        id: SubscriptionId,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Subscription, Error>;
}

/// What only a host that confirms and delivers by itself can do: takes confirmations, suspends and resumes, renews
/// secrets, sends tests. All but confirming answer `NotFound` with `subscription_not_found` and `Conflict` with
/// `subscription_ended`.
#[async_trait]
pub trait LocalSubscriptions: Send + Sync {
    /// Confirms a subscription for the orders accepted from now on.
    ///
    /// Confirming a confirmed one changes nothing. `Gone` with `confirmation_replaced` (another generation is the
    /// newest), `confirmation_expired` or `subscription_ended`; `NotFound` with `subscription_not_found`.
    async fn confirm(
        &self,
        id: SubscriptionId,
        generation: u32,
        in_sandbox: bool,
        now: Timestamp,
    ) -> Result<Subscription, Error>;

    /// Takes back, for a protocol that has a real provider now, every confirmation that was given in the sandbox, and
    /// every confirmation message that only the sandbox saw. Each such subscription is pending and is sent nothing until
    /// somebody asks for a new confirmation: a trial's addresses need not be anyone's who wants mail. Answers how many
    /// there were.
    async fn lapse_sandbox_confirmations(&self, protocol: Protocol, now: Timestamp) -> Result<usize, Error>;

    /// Lets the deliveries of a confirmed subscription wait; orders match it all the same. Suspending a suspended
    /// one changes nothing. `Conflict` (`not_confirmed`) while it is pending.
    async fn suspend(
        &self,
        id: SubscriptionId,
        reason: SuspensionReason,
        now: Timestamp,
    ) -> Result<Subscription, Error>;

    /// Sends what waits, for whichever time, and whatever comes, to a suspended subscription again. Resuming a
    /// confirmed one changes nothing. `Conflict` (`not_confirmed`) while it is pending.
    async fn resume(&self, id: SubscriptionId, now: Timestamp) -> Result<Subscription, Error>;

    /// Puts `next` in the place of a webhook's secret, which signs too for a while. `Conflict` (`no_secret`) where there
    /// is none.
    async fn rotate_secret(
        &self,
        id: SubscriptionId,
        next: WebhookSecret,
        now: Timestamp,
    ) -> Result<Subscription, Error>;

    /// Makes a test, `delivery`, for a confirmed subscription. `Conflict` (`not_confirmed`) while it is pending,
    /// (`subscription_suspended`) while it is suspended.
    async fn send_test(
        &self,
        id: SubscriptionId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Subscription, Error>;
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
    /// It was made, and its confirmation request is pending.
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
