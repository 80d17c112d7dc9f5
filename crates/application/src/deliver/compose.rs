//! From a delivery to the message that its channel sends.

use domain::Timestamp;
use domain::delivery::{DeliveryKind, Effort, OnUnknown};
use domain::endpoint::Protocol;
use domain::link_token::{LinkToken, Purpose};
use domain::subscription::{CONFIRMATION_LIFETIME, Subscription};

use crate::OwnDelivery;
use crate::ports::{Content, DueDelivery, Message};

/// Puts a delivery into words and links. A repeat says the same under the same id.
#[must_use]
pub fn compose(own: &OwnDelivery, delivery: &DueDelivery, now: Timestamp) -> Message {
    let subscription = &delivery.subscription;
    Message {
        id: delivery.id,
        endpoint: subscription.endpoint.clone(),
        secrets: subscription.secrets.as_ref().map(|secrets| secrets.at(now)).unwrap_or_default(),
        receipt_url: receipt_url(own, delivery),
        at: now,
        content: content(own, delivery, now),
    }
}

fn content(own: &OwnDelivery, delivery: &DueDelivery, now: Timestamp) -> Content {
    let subscription = &delivery.subscription;
    match (&delivery.order, &delivery.notice) {
        (Some(order), _) => {
            let token = token(own, subscription, Purpose::Unsubscribe);
            let unsubscribe_url = link(own, "unsubscribe", &token);
            Content::Notification { order: Box::new(order.clone()), unsubscribe_url }
        }
        (None, Some(notice)) => {
            let about_url = format!("{}{}", own.public_url, notice.route());
            Content::Notice { notice: notice.clone(), about_url }
        }
        (None, None) if delivery.kind == DeliveryKind::Test => Content::Test,
        (None, None) => {
            let challenge = token(own, subscription, Purpose::Confirm);
            Content::Confirmation {
                confirm_url: link(own, "confirm", &challenge),
                challenge,
                // A host that asks by itself knows its question's end.
                expires_at: subscription.confirmation_expires_at.unwrap_or(now + CONFIRMATION_LIFETIME),
            }
        }
    }
}

/// Names the attempt too: a report may come after the next one began.
fn receipt_url(own: &OwnDelivery, delivery: &DueDelivery) -> String {
    format!("{}/receipts/{}?attempt={}", own.public_url, delivery.id, delivery.attempts + 1)
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
    pub fn effort(&self, on_unknown: OnUnknown) -> Effort {
        let question = self.kind == DeliveryKind::Confirmation;
        Effort {
            protocol: self.protocol(),
            spent: self.spent,
            deadline: self.subscription.confirmation_expires_at.filter(|_| question),
            on_unknown,
            failures: self.subscription.failing.map_or(0, |failing| failing.times),
        }
    }
}
