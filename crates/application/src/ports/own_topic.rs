//! What a topic can do that confirms and delivers by itself, and SNS cannot.

use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::subscription::{Subscription, SubscriptionId, SuspensionReason};
use domain::webhook_secret::WebhookSecret;

use crate::Error;

/// Takes confirmations, suspends and resumes, renews secrets, sends trials. All but confirming answer `NotFound` with
/// `subscription_not_found` and `Conflict` with `subscription_ended`.
#[async_trait]
pub trait OwnTopic: Send + Sync {
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

    /// Lets the deliveries of a confirmed subscription wait; orders are owed to it all the same. Suspending a suspended
    /// one changes nothing. `Conflict` (`not_confirmed`) while it is pending.
    async fn suspend(
        &self,
        id: SubscriptionId,
        reason: SuspensionReason,
        now: Timestamp,
    ) -> Result<Subscription, Error>;

    /// Sends what waits, for whichever time, and whatever comes, to a suspended subscription again. Resuming a confirmed one changes nothing.
    /// `Conflict` (`not_confirmed`) while it is pending.
    async fn resume(&self, id: SubscriptionId, now: Timestamp) -> Result<Subscription, Error>;

    /// Puts `next` in the place of a webhook's secret, which signs too for a while. `Conflict` (`no_secret`) where there
    /// is none.
    async fn rotate_secret(
        &self,
        id: SubscriptionId,
        next: WebhookSecret,
        now: Timestamp,
    ) -> Result<Subscription, Error>;

    /// Owes a confirmed subscription a trial, `delivery`. `Conflict` (`not_confirmed`) while it is pending,
    /// (`subscription_suspended`) while it is suspended.
    async fn send_test(
        &self,
        id: SubscriptionId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Subscription, Error>;
}
