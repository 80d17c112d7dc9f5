//! Taking confirmations, where this host and not SNS asks for them.

use async_trait::async_trait;
use domain::Timestamp;
use domain::endpoint::Protocol;
use domain::subscription::{Subscription, SubscriptionId};

use super::Randomness;
use crate::Error;

/// Confirms subscriptions.
#[async_trait]
pub trait Confirmations: Send + Sync {
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
    /// replaces every confirmation message that only the sandbox saw. Each such subscription is pending again and is
    /// owed a new confirmation. Answers how many there were.
    async fn lapse_sandbox_confirmations(
        &self,
        protocol: Protocol,
        randomness: &dyn Randomness,
        now: Timestamp,
    ) -> Result<usize, Error>;
}
