//! From a delivery to the message that its channel sends.

use domain::Timestamp;
use domain::delivery::Effort;
use domain::endpoint::Protocol;
use domain::link_token::{LinkToken, Purpose};
use domain::subscription::{CONFIRMATION_LIFETIME, Subscription};

use crate::OwnDelivery;
use crate::ports::{Content, DueDelivery, Message};

/// Puts a delivery into words and links. A repeat says the same under the same id.
#[must_use]
pub fn compose(own: &OwnDelivery, delivery: &DueDelivery, now: Timestamp) -> Message {
    let subscription = &delivery.subscription;
    let content = if let Some(order) = &delivery.order {
        let token = token(own, subscription, Purpose::Unsubscribe);
        Content::Notification {
            order: Box::new(order.clone()),
            unsubscribe_url: link(own, "unsubscribe", &token),
        }
    } else {
        let challenge = token(own, subscription, Purpose::Confirm);
        Content::Confirmation {
            confirm_url: link(own, "confirm", &challenge),
            challenge,
            // A host that asks by itself knows its question's end.
            expires_at: subscription.confirmation_expires_at.unwrap_or(now + CONFIRMATION_LIFETIME),
        }
    };
    Message {
        id: delivery.id,
        endpoint: subscription.endpoint.clone(),
        secret: subscription.secret.clone(),
        at: now,
        content,
    }
}

fn token(own: &OwnDelivery, subscription: &Subscription, purpose: Purpose) -> String {
    let generation = match purpose {
        Purpose::Confirm => subscription.generation,
        Purpose::Unsubscribe => 0,
    };
    LinkToken { purpose, subscription: subscription.id, generation }.sign(&own.link_key)
}

fn link(own: &OwnDelivery, page: &str, token: &str) -> String {
    format!("{}/subscriptions/{page}?token={token}", own.public_url)
}

impl DueDelivery {
    /// The protocol it goes over.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.subscription.endpoint.protocol()
    }

    /// What deciding about this delivery takes.
    #[must_use]
    pub fn effort(&self) -> Effort {
        let question = self.order.is_none();
        let deadline = self.subscription.confirmation_expires_at.filter(|_| question);
        Effort { protocol: self.protocol(), spent: self.spent, deadline }
    }
}
