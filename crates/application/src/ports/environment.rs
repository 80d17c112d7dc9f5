//! What depends on the machine and the moment: the time, and randomness.

use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::order::OrderId;
use domain::retry::Jitter;
use domain::subscription::SubscriptionId;
use domain::webhook_secret::WebhookSecret;

/// Gives random bytes that nobody can foretell. Everything that depends on chance takes it from here.
pub trait Randomness: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Randomness + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A new order's id.
    pub fn order_id(&self, now: Timestamp) -> OrderId {
        OrderId::new(now, self.bytes())
    }

    /// A new subscription's id.
    pub fn subscription_id(&self, now: Timestamp) -> SubscriptionId {
        SubscriptionId::new(now, self.bytes())
    }

    /// A new delivery's id.
    pub fn delivery_id(&self, now: Timestamp) -> DeliveryId {
        DeliveryId::new(now, self.bytes())
    }

    /// A new webhook's secret.
    pub fn webhook_secret(&self) -> WebhookSecret {
        WebhookSecret::new(self.bytes())
    }

    /// A delay's jitter.
    pub fn jitter(&self) -> Jitter {
        Jitter(u16::from_ne_bytes(self.bytes()))
    }
}

/// Tells the time. Everything that depends on the time takes it from here.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}
