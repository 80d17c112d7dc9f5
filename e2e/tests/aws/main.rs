//! The AWS host on its own: the recipe's steps, failures between storing and announcing, and batches of the stream.

mod announcing;
mod recipe;
mod stream_batch;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use orderbell_e2e::deployment::in_envelope;
use orderbell_e2e::receiver::Receiver;

/// The orders of which a subscriber of SNS was told, with how often.
fn told(receiver: &Receiver) -> Result<BTreeMap<String, usize>> {
    let mut told = BTreeMap::new();
    for received in receiver.notifications() {
        let notification = in_envelope(&received.json())?;
        let order = notification["data"]["orderId"].as_str().context("an orderId")?.to_owned();
        *told.entry(order).or_default() += 1;
    }
    Ok(told)
}

/// Each of these orders, once.
fn once<'a>(orders: impl IntoIterator<Item = &'a String>) -> BTreeMap<String, usize> {
    orders.into_iter().map(|order| (order.clone(), 1)).collect()
}
