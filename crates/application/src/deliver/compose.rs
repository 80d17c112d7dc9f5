//! From a delivery to the message that its channel sends.

use std::sync::Arc;

use domain::Timestamp;
use domain::attributes::Attributes;
use domain::delivery::{DeliveryId, DeliveryKind, RetryContext, UnknownOutcomePolicy};
use domain::endpoint::Protocol;
use domain::link_token::{LinkToken, OrderToken, Purpose};
use domain::order::Order;
use domain::reader::Reader;
use domain::shop::Shop;
use domain::subscription::{CONFIRMATION_LIFETIME, Subscription};
use domain::template::{Template, Told, Written};

use crate::Links;
use crate::ports::{Content, DueDelivery, Message};

/// Puts a delivery into words and links, for whoever reads it: an order into those of `template`, if there is one. A repeat says
/// the same under the same id, as long as the template stays.
#[must_use]
pub fn compose(
    links: &Links,
    shop: &Shop,
    template: Option<&Template>,
    delivery: &DueDelivery,
    now: Timestamp,
) -> Message {
    let subscription = &delivery.subscription;
    let reader = Reader::of(shop, &subscription.attributes);
    Message {
        id: delivery.id,
        endpoint: subscription.endpoint.clone(),
        secrets: subscription.secrets.as_ref().map(|secrets| secrets.at(now)).unwrap_or_default(),
        receipt_url: receipt_url(links, delivery),
        at: now,
        content: content(links, (shop, &reader), template, delivery, now),
        reader,
    }
}

fn content(
    links: &Links,
    (shop, reader): (&Shop, &Reader),
    template: Option<&Template>,
    delivery: &DueDelivery,
    now: Timestamp,
) -> Content {
    let subscription = &delivery.subscription;
    match (&delivery.order, &delivery.notice) {
        (Some(order), _) => {
            let order = shown(order, &subscription.attributes);
            let order_url = order_url(links, delivery.id, now);
            let token = token(links, subscription, Purpose::Unsubscribe);
            let unsubscribe_url = link(links, "unsubscribe", &token);
            let (page, end) = (order_url.as_deref(), unsubscribe_url.as_str());
            let told = Told { order: &order, reader, shop, order_url: page, unsubscribe_url: end };
            let written = template.map_or_else(|| Ok(Written::default()), |template| template.render(&told));
            Content::Notification { order, order_url, unsubscribe_url, written }
        }
        (None, Some(notice)) => {
            let about_url = format!("{}{}", links.public_url, notice.route());
            Content::Notice { notice: notice.clone(), about_url }
        }
        (None, None) if delivery.kind == DeliveryKind::Test => Content::Test,
        (None, None) => {
            let challenge = token(links, subscription, Purpose::Confirm);
            Content::Confirmation {
                asked_by: shop.name.clone(),
                confirm_url: link(links, "confirm", &challenge),
                challenge,
                // A host that sends confirmation requests by itself knows their end.
                expires_at: subscription.confirmation_expires_at.unwrap_or(now + CONFIRMATION_LIFETIME),
            }
        }
    }
}

/// What of the order the subscription is shown: every form of the message is made from that.
fn shown(order: &Arc<Order>, attributes: &Attributes) -> Arc<Order> {
    attributes.shown(order).map_or_else(|| Arc::clone(order), Arc::new)
}

/// The page of the order as this subscription is shown it; none where its link would be dead when it arrives.
fn order_url(links: &Links, delivery: DeliveryId, now: Timestamp) -> Option<String> {
    let token = OrderToken { delivery };
    token.works(now).then(|| format!("{}/o/{}", links.public_url, token.sign(&links.key)))
}

/// Names the attempt too: a report may come after the next one began.
fn receipt_url(links: &Links, delivery: &DueDelivery) -> String {
    format!("{}/receipts/{}?attempt={}", links.public_url, delivery.id, delivery.attempts + 1)
}

fn token(links: &Links, subscription: &Subscription, purpose: Purpose) -> String {
    let generation = match purpose {
        Purpose::Confirm => subscription.generation,
        Purpose::Unsubscribe => 0,
    };
    LinkToken { purpose, subscription: subscription.id, generation }.sign(&links.key)
}

fn link(links: &Links, page: &str, token: &str) -> String {
    format!("{}/subscriptions/{page}?token={token}", links.public_url)
}

impl DueDelivery {
    /// The protocol it goes over.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.subscription.endpoint.protocol()
    }

    /// What deciding about this delivery takes, of whose endpoint so many attempts failed in a row.
    #[must_use]
    pub fn retry_context(&self, on_unknown: UnknownOutcomePolicy, failures: u32) -> RetryContext {
        let is_request = self.kind == DeliveryKind::Confirmation;
        RetryContext {
            protocol: self.protocol(),
            attempts_used: self.attempts_used,
            deadline: self.subscription.confirmation_expires_at.filter(|_| is_request),
            on_unknown,
            failures,
        }
    }
}
