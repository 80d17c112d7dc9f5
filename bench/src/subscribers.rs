//! Webhooks that are subscribed before something is measured.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::exchange::exchange;
use crate::receiver::Receiver;
use crate::server::Server;

/// How long they may take to be confirmed.
const LONGEST_CONFIRMATION: Duration = Duration::from_secs(20);

/// Subscribes so many endpoints of the receiver to the orders that the filter policy lets through, and waits until the
/// program knows that each has confirmed.
///
/// # Errors
/// It does not take one, or they do not confirm in time.
pub(crate) fn subscribe(server: &Server, receiver: &Receiver, count: usize, policy: &Value) -> Result<()> {
    let key = server.admin_key()?;
    for number in 0..count {
        let mut body = json!({"protocol": "webhook", "endpoint": receiver.url_of(number)});
        if !policy.is_null() {
            body["filterPolicy"] = policy.clone();
        }
        exchange(server.address, "POST", "/subscriptions", Some(&key), &body.to_string())?;
    }
    let start = Instant::now();
    loop {
        let pending =
            exchange(server.address, "GET", "/subscriptions?state=pending&limit=1", Some(&key), "")?;
        if receiver.confirmed() >= count && pending["items"].as_array().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        if start.elapsed() > LONGEST_CONFIRMATION {
            bail!("waited in vain for confirmations: {pending}");
        }
        thread::sleep(Duration::from_millis(10));
    }
}
