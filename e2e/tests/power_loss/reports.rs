//! The provider's reports of what became of text messages, one after the other.

use std::time::Duration;

use anyhow::{Context, Result};
use orderbell_e2e::client::Client;
use orderbell_e2e::receiver::Receiver;
use orderbell_e2e::twilio::{PUBLIC_URL, report};
use serde_json::json;
use tokio::sync::watch;

use crate::subscribers::field;

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// One report in so many says that the message did not arrive.
const FAILED: usize = 5;

/// Reports every message that `twilio` holds from the place `from` on, and has those redriven that did not arrive, until
/// the load has ended and none is left; gives the deliveries' ids in the order in which their reports were answered.
pub(crate) async fn run(
    client: &Client,
    twilio: &Receiver,
    from: usize,
    ended: watch::Receiver<bool>,
) -> Result<Vec<String>> {
    let mut reported = Vec::new();
    let mut next = from;
    loop {
        let last_look = *ended.borrow();
        let messages = twilio.received();
        for message in messages.iter().skip(next) {
            // A probe asks for no report.
            let Some(callback) = field(message, "StatusCallback") else { continue };
            let path = callback.strip_prefix(PUBLIC_URL).context("a callback to the program")?;
            let status = if reported.len() % FAILED == 0 { "undelivered" } else { "delivered" };
            report(client, path, &format!("SM{}", reported.len()), status).await?;
            let delivery =
                path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
            if status == "undelivered" {
                // Its subscription may have ended by now.
                let _refused = client.post(&format!("/deliveries/{delivery}/redrive"), &json!({})).await?;
            }
            reported.push(delivery.to_owned());
        }
        next = messages.len();
        if last_look {
            return Ok(reported);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}
