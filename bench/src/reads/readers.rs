//! What is read, one after the other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::exchange::exchange;
use crate::server::Server;
use crate::stored::{Large, TOLD};

/// One kind of request.
pub(super) struct Kind {
    /// What it asks for.
    pub(super) name: &'static str,
    /// The path of one of them, chosen by a number at random.
    path: Box<dyn Fn(usize) -> Result<String> + Sync>,
}

/// One answered request.
pub(super) struct Read {
    /// The place of its kind.
    pub(super) kind: usize,
    /// From connecting to the end of the answer.
    pub(super) took: Duration,
}

impl Kind {
    /// What people ask a store.
    ///
    /// # Errors
    /// The program does not say whom it told.
    pub(super) fn all(server: &Server, large: Large) -> Result<Vec<Self>> {
        let key = server.admin_key()?;
        let subscriptions = exchange(server.address, "GET", "/subscriptions?limit=1", Some(&key), "")?;
        let subscription =
            subscriptions["items"][0]["subscriptionId"].as_str().context("a subscription")?.to_owned();
        let count = large.orders();
        let told = move |chosen: usize| chosen % count / TOLD * TOLD;
        Ok(vec![
            Self::new("the 50 newest orders", |_| Ok("/orders?limit=50".to_owned())),
            Self::new("50 orders before a time", move |chosen| {
                Ok(format!("/orders?limit=50&before={}", large.order_time(chosen % count)?))
            }),
            Self::new("50 orders from a time on", move |chosen| {
                Ok(format!("/orders?limit=50&from={}", large.order_time(chosen % count)?))
            }),
            Self::new("50 orders of a span of an hour", move |chosen| {
                let (first, last) = (chosen % count, (chosen % count + 14_400).min(count - 1));
                let (from, before) = (large.order_time(first)?, large.order_time(last)?);
                Ok(format!("/orders?limit=50&from={from}&before={before}"))
            }),
            Self::new("an order that nobody was told of", move |chosen| {
                Ok(format!("/orders/{}", large.order_id((told(chosen) + 1).min(count - 1))))
            }),
            Self::new("an order and its timeline", move |chosen| {
                Ok(format!("/orders/{}", large.order_id(told(chosen))))
            }),
            Self::new("the deliveries of an order", move |chosen| {
                Ok(format!("/deliveries?order={}", large.order_id(told(chosen))))
            }),
            Self::new("50 deliveries of a subscription", move |_| {
                Ok(format!("/deliveries?limit=50&subscription={subscription}"))
            }),
            Self::new("50 dead deliveries", |_| Ok("/deliveries?limit=50&state=dead".to_owned())),
        ])
    }

    fn new(name: &'static str, path: impl Fn(usize) -> Result<String> + Sync + 'static) -> Self {
        Self { name, path: Box::new(path) }
    }
}

/// Asks for the kinds one after the other, for each again and again in its share of so long, so that a slow one takes no
/// time of the others; for each at least once.
///
/// # Errors
/// A request is not answered with success.
pub(super) fn read_in_turn(
    server: SocketAddr,
    key: &str,
    kinds: &[Kind],
    length: Duration,
) -> Result<Vec<Read>> {
    let share = length / u32::try_from(kinds.len())?;
    let mut reads = Vec::new();
    for (kind, Kind { path, .. }) in kinds.iter().enumerate() {
        let begun = Instant::now();
        loop {
            let path = path(fastrand::usize(..))?;
            let start = Instant::now();
            exchange(server, "GET", &path, Some(key), "")?;
            reads.push(Read { kind, took: start.elapsed() });
            if begun.elapsed() >= share {
                break;
            }
        }
    }
    Ok(reads)
}
