//! What the promises are tried with.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use application::ports::{
    DeliveryFilter, Idempotency, InboxMessage, NewSubscription, PageRequest, Redrivable, RedriveSelection,
};
use domain::Timestamp;
use domain::attributes::Attributes;
use domain::delivery::{DeliveryId, DeliveryKind};
use domain::endpoint::{Endpoint, Protocol};
use domain::filter_policy::FilterPolicy;
use domain::order::idempotency::IdempotencyKey;
use domain::order::{Order, OrderDetails, OrderId};
use domain::subscription::SubscriptionId;
use domain::webhook_secret::WebhookSecret;

/// How long keys live here.
pub(crate) const LIFETIME: Duration = Duration::from_hours(24);
/// A moment.
pub(crate) const MOMENT: Duration = Duration::from_millis(1);
/// A while.
pub(crate) const WHILE: Duration = Duration::from_hours(1);

/// The time, in whole milliseconds, as every store keeps it, and later than it ever was before: a store may keep its
/// orders by their ids, in which those of one millisecond have no order.
#[expect(clippy::disallowed_methods, reason = "a store may compare what it is given with its own clock")]
pub(crate) fn now() -> Timestamp {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let now = Timestamp::now();
    let later = |last: i64| now.as_millisecond().max(last + 1);
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(later(last)));
    last.map_or(now, |last| Timestamp::from_millisecond(later(last)).unwrap_or(now))
}

/// Bytes that were never used before, so that a store that outlives the run takes them too.
pub(crate) fn unique() -> [u8; 10] {
    let (one, two) = (RandomState::new().hash_one(1), RandomState::new().hash_one(2));
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&one.to_ne_bytes());
    bytes[8..].copy_from_slice(&two.to_ne_bytes()[..2]);
    bytes
}

pub(crate) fn order() -> Order {
    order_of(r#"{"customerName":"Ada","productName":"Wireless Mouse"}"#)
}

pub(crate) fn order_of(json: &str) -> Order {
    let details = OrderDetails::parse(json.as_bytes()).expect("a valid order");
    let time = now();
    Order { id: OrderId::new(time, unique()), time, details, request_id: "req-1".to_owned() }
}

/// An order with everything an order can have.
pub(crate) fn rich_order() -> Order {
    order_of(
        r#"{"customerName":"Zoë \"Z\" O'Hara","items":[{"productName":"Mouse","sku":"M-1","quantity":2,"unitPrice":"19.90"},
        {"productName":"Pad 📦","quantity":1}],"customerEmail":"zoe@example.com","customerPhone":"+4915112345678",
        "currency":"EUR","total":"123456789012345.000001","note":"Ring twice;\nthen wait","attributes":{"express":true,
        "shop":"north","weight":1.50}}"#,
    )
}

pub(crate) fn order_at(time: Timestamp) -> Order {
    Order { id: OrderId::new(time, unique()), time, ..order() }
}

/// A key of the anonymous callers that was never used before, for this order.
pub(crate) fn key_for(order: &Order) -> Idempotency {
    let key = IdempotencyKey::parse(&OrderId::new(now(), unique()).to_string()).expect("a valid key");
    let fingerprint = order.details.fingerprint();
    Idempotency { scope: String::new(), client_digest: Some([1; 16]), key, fingerprint, lifetime: LIFETIME }
}

pub(crate) fn policy(json: &str) -> FilterPolicy {
    FilterPolicy::parse(json).expect("a valid policy")
}

/// Every dead delivery, or those of one subscription.
pub(crate) fn all_dead(subscription: Option<SubscriptionId>) -> RedriveSelection {
    let filter = DeliveryFilter { subscription, ..DeliveryFilter::default() };
    RedriveSelection::Many { state: Redrivable::Dead, filter }
}

pub(crate) fn subscription(protocol: Protocol, endpoint: &str) -> NewSubscription {
    let now = now();
    NewSubscription {
        id: SubscriptionId::new(now, unique()),
        endpoint: Endpoint::parse(protocol, endpoint).expect("a valid endpoint"),
        attributes: Attributes::default(),
        secret: (protocol == Protocol::Webhook).then(|| WebhookSecret::new([7; 32])),
        confirmation: delivery_id(),
        now,
    }
}

pub(crate) fn email(endpoint: &str) -> NewSubscription {
    subscription(Protocol::Email, endpoint)
}

pub(crate) fn text(number: &str) -> NewSubscription {
    subscription(Protocol::Sms, number)
}

pub(crate) fn delivery_id() -> DeliveryId {
    DeliveryId::new(now(), unique())
}

pub(crate) fn message(subject: &str) -> InboxMessage {
    InboxMessage {
        id: delivery_id(),
        protocol: Protocol::Email,
        to: "ada@example.com".to_owned(),
        kind: DeliveryKind::Confirmation,
        subject: subject.to_owned(),
        text: "Confirm, please.\nThank you.".to_owned(),
        order_url: Some("http://localhost/o/t".to_owned()),
        link: Some("http://localhost/subscriptions/confirm?token=t".to_owned()),
        at: now(),
    }
}

pub(crate) fn first_page(limit: usize) -> PageRequest {
    PageRequest { limit, cursor: None }
}
