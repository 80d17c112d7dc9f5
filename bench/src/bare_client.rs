//! The reference of telling: the least that a client in this language and library can do, posting the same message to the
//! same kind of receiver, one at a time to each endpoint. It stores nothing and signs nothing anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tokio::runtime;
use tokio::task::JoinSet;

use crate::receiver::{Message, Receiver};

/// How long it runs before anything is counted.
const WARM_UP: Duration = Duration::from_millis(300);

/// The messages a second that it brings to so many endpoints, over so long.
///
/// # Errors
/// A message is not taken.
pub(crate) fn per_second(endpoints: usize, message: &Message, length: Duration) -> Result<f64> {
    let receiver = Receiver::start()?;
    let over = Arc::new(AtomicBool::new(false));
    let posting = post(&receiver, endpoints, usize::MAX, message, Arc::clone(&over));
    thread::sleep(WARM_UP);
    let (start, before) = (Instant::now(), receiver.taken());
    thread::sleep(length);
    let (taken, elapsed) = (receiver.taken() - before, start.elapsed());
    over.store(true, Ordering::Relaxed);
    ended(posting)?;
    Ok(f64::from(taken) / elapsed.as_secs_f64())
}

/// Begins to post a message to each endpoint of the receiver, so often or until it is over.
pub(crate) fn post(
    receiver: &Receiver,
    endpoints: usize,
    each: usize,
    message: &Message,
    over: Arc<AtomicBool>,
) -> JoinHandle<Result<()>> {
    let urls: Vec<_> = (0..endpoints).map(|number| receiver.url_of(number)).collect();
    let message = message.clone();
    thread::spawn(move || post_all(urls, each, &message, &over))
}

/// Waits until it has posted all.
///
/// # Errors
/// A message was not taken.
pub(crate) fn ended(posting: JoinHandle<Result<()>>) -> Result<()> {
    posting.join().map_err(|_| anyhow!("the bare client panicked"))?
}

fn post_all(urls: Vec<String>, each: usize, message: &Message, over: &Arc<AtomicBool>) -> Result<()> {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let mut loops = JoinSet::new();
        for url in urls {
            let (client, message, over) = (client.clone(), message.clone(), Arc::clone(over));
            loops.spawn(async move {
                for _ in 0..each {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let request =
                        client.post(&url).headers(message.headers.clone()).body(message.body.clone());
                    request.send().await?.error_for_status()?.bytes().await?;
                }
                Ok::<(), reqwest::Error>(())
            });
        }
        loops.join_all().await.into_iter().collect::<Result<(), _>>().context("the bare client")
    })
}
