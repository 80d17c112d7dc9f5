//! The provider's callbacks: signed, and repeated until the program has taken them.

use std::time::Duration;

use anyhow::{Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use orderbell_e2e::client::Client;
use reqwest::Method;
use sha1::Sha1;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::load::insist;
use crate::twilio::{AUTH_TOKEN, PUBLIC_URL, Taken};

/// One message in so many is reported.
const REPORTED: usize = 3;
/// One report in so many says that the message did not arrive.
const FAILED: usize = 6;
/// At most so long after the message was taken, in milliseconds: some reports overtake the answer.
const LATEST: u64 = 100;

/// A report that the program took: it must be in the store.
#[derive(Debug)]
pub(crate) struct Callback {
    /// The delivery's id, without hyphens.
    pub(crate) delivery: String,
    /// `delivered` or `failed`, as the store has it.
    pub(crate) status: &'static str,
}

/// Reports some of the messages that are taken, until no more are; then gives the reports, each of them taken.
pub(crate) fn start(
    mut taken: UnboundedReceiver<Taken>,
    client: &Client,
    is_up: &watch::Receiver<bool>,
) -> JoinHandle<Vec<Callback>> {
    let (client, is_up) = (client.clone(), is_up.clone());
    tokio::spawn(async move {
        let mut callbacks = JoinSet::new();
        while let Some(message) = taken.recv().await {
            if fastrand::usize(..REPORTED) == 0 {
                callbacks.spawn(report(message, client.clone(), is_up.clone()));
            }
        }
        callbacks.join_all().await
    })
}

async fn report(message: Taken, client: Client, is_up: watch::Receiver<bool>) -> Callback {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(..LATEST))).await;
    let failed = fastrand::usize(..FAILED) == 0;
    let said = if failed { "undelivered" } else { "delivered" };
    insist(&is_up, || call_back(&client, &message, said)).await;
    let status = if failed { "failed" } else { "delivered" };
    Callback { delivery: message.delivery, status }
}

async fn call_back(client: &Client, message: &Taken, said: &str) -> Result<()> {
    let path = &message.callback;
    let form = [("MessageSid", message.sid.as_str()), ("MessageStatus", said)];
    let request = client.request(Method::POST, path).form(&form);
    let request = request.header("x-twilio-signature", signature(&format!("{PUBLIC_URL}{path}"), &form));
    let answer = client.send(request).await?;
    ensure!(answer.status == 204, "a receipt was answered {}: {}", answer.status, answer.body);
    Ok(())
}

/// Over the URL and the form's fields, which stand in the order of their names.
///
/// Source: Twilio, "Validating signatures from Twilio".
fn signature(url: &str, form: &[(&str, &str)]) -> String {
    let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(AUTH_TOKEN.as_bytes()).expect("a key of any length");
    let mac = form
        .iter()
        .fold(mac.chain_update(url), |mac, (name, value)| mac.chain_update(name).chain_update(value));
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}
