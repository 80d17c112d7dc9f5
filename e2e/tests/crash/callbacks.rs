//! The provider's callbacks: signed, and repeated until the program has taken them.

use std::time::Duration;

use orderbell_e2e::client::Client;
use orderbell_e2e::twilio;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::load::insist;
use crate::twilio::Taken;

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
    insist(&is_up, || twilio::report(&client, &message.callback, &message.sid, said)).await;
    let status = if failed { "failed" } else { "delivered" };
    Callback { delivery: message.delivery, status }
}
