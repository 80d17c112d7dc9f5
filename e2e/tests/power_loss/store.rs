//! The store, opened in this process with the real clock and real chance.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use application::ports::{Acceptance, ClientDigest, Clock, Idempotency, OrderStore, Randomness};
use domain::order::idempotency::IdempotencyKey;
use domain::order::{Order, OrderDetails};
use host::{SystemClock, SystemRandomness};
use sqlite::{OpenError, Options, Store};
use tokio::task::JoinSet;

use crate::load;

/// Opens the store as the program does.
pub(crate) fn open(data: &Path) -> Result<Store, OpenError> {
    Store::open(data, Options::new(Arc::new(SystemClock), Arc::new(SystemRandomness)))
}

/// Places every order once more, under its key; says of each that was not recognised what came of it.
pub(crate) async fn place_again(store: &Store, orders: &[&load::Order]) -> Result<Vec<String>> {
    let mut answers = JoinSet::new();
    for order in orders {
        let (again, idempotency) = request(&order.key)?;
        let (store, order) = (store.clone(), (*order).clone());
        answers.spawn(async move { (order, store.accept(again, Some(idempotency)).await) });
    }
    let mut broken = Vec::new();
    for (order, answer) in answers.join_all().await {
        let recognised = matches!(&answer, Ok(Acceptance::Repeated(id)) if id.to_string() == order.id);
        if !recognised {
            broken.push(format!("order {} placed again: {answer:?}", order.id));
        }
    }
    Ok(broken)
}

/// What the program asks of the store when an anonymous caller places the order of that key.
fn request(key: &str) -> Result<(Order, Idempotency)> {
    let details =
        OrderDetails::parse(load::body(key).to_string().as_bytes()).map_err(|error| anyhow!("{error:?}"))?;
    let now = SystemClock.now();
    let fingerprint = details.fingerprint();
    let id = (&SystemRandomness as &dyn Randomness).order_id(now);
    let order = Order { id, time: now, details, request_id: "placed-again".to_owned() };
    let key = IdempotencyKey::parse(key).map_err(|error| anyhow!("{error:?}"))?;
    let lifetime = Duration::from_hours(24);
    Ok((
        order,
        Idempotency {
            scope: String::new(),
            client_digest: Some(ClientDigest::default()),
            key,
            fingerprint,
            lifetime,
        },
    ))
}
