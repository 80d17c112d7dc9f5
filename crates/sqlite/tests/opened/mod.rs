//! A store as the host opens it, with the real clock and real chance.
#![allow(dead_code, clippy::unwrap_used, reason = "all of it is for tests, and each takes what it needs")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{
    Clock, DeliveryQueue, DueQuery, Finished, Idempotency, NewSubscription, Randomness, Subscriptions,
};
use domain::Timestamp;
use domain::attempt::OutcomeKind;
use domain::attributes::Attributes;
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::order::idempotency::IdempotencyKey;
use domain::order::{Order, OrderDetails};
use host::{SystemClock, SystemRandomness};
use orderbell_sqlite::{Options, Store};

pub(crate) fn options() -> Options {
    Options::new(Arc::new(SystemClock), Arc::new(SystemRandomness))
}

pub(crate) fn open(folder: &Path) -> Store {
    Store::open(folder, options()).unwrap()
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

pub(crate) fn order() -> Order {
    order_at(now())
}

pub(crate) fn order_at(time: Timestamp) -> Order {
    let details = OrderDetails::parse(br#"{"customerName":"Ada","productName":"Wireless Mouse"}"#).unwrap();
    let randomness: &dyn Randomness = &SystemRandomness;
    Order { id: randomness.order_id(time), time, details, request_id: "req-1".to_owned() }
}

pub(crate) fn key(key: &str) -> Idempotency {
    let key = IdempotencyKey::parse(&format!("{key:0>16}")).unwrap();
    let lifetime = Duration::from_hours(24);
    Idempotency {
        scope: String::new(),
        client_digest: None,
        key,
        fingerprint: order().details.fingerprint(),
        lifetime,
    }
}

/// An attempt that came to this outcome now.
pub(crate) fn finished(delivery: DeliveryId, number: u32, kind: OutcomeKind) -> Finished {
    conformance::finished_at(delivery, number, kind, now())
}

/// Makes a subscription; answers its confirmation request.
pub(crate) async fn subscribe(store: &Store) -> DeliveryId {
    let randomness: &dyn Randomness = &SystemRandomness;
    let confirmation = randomness.delivery_id(now());
    let new = NewSubscription {
        id: randomness.subscription_id(now()),
        endpoint: Endpoint::parse(Protocol::Email, "ada@example.com").unwrap(),
        attributes: Attributes::default(),
        secret: None,
        confirmation,
        now: now(),
    };
    store.subscribe(new).await.unwrap();
    confirmation
}

/// How many deliveries are due now.
pub(crate) async fn due(store: &Store) -> usize {
    let (skip_endpoints, skip_protocols) = (Vec::new(), Vec::new());
    let query = DueQuery {
        now: now(),
        per_endpoint: 10,
        limit: 10,
        skip_deliveries: [].into(),
        skip_endpoints,
        skip_protocols,
    };
    store.due(query).await.unwrap().deliveries.len()
}

/// Audits the store in a folder: nothing may be at odds.
pub(crate) fn assert_in_order(folder: &Path) {
    let mut named = Vec::new();
    orderbell_sqlite::audit::audit(folder, now(), |exception| named.push(exception)).unwrap();
    assert_eq!(named, []);
}
