//! What runs until the program is to end; here too are the shells around the relay and the delivery engine.

pub(crate) mod clock;
pub(crate) mod delivery;
pub(crate) mod escalation;
pub(crate) mod gauges;
pub(crate) mod operators;
pub(crate) mod reexamination;
pub(crate) mod relay;
pub(crate) mod upkeep;

use std::collections::HashMap;
use std::io;

use anyhow::anyhow;
use host::own_words;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};

fn words_of(broken: JoinError) -> &'static str {
    broken.try_into_panic().map_or("it was cancelled", |payload| own_words(&*payload))
}

/// Tells tasks to come to an end.
pub(crate) type Stop = watch::Receiver<bool>;

/// Waits until the program is to end.
pub(crate) async fn stopped(stop: &mut Stop) {
    // An error means that the sender is gone, and with it the program.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The tasks without which the program is not whole.
#[derive(Default)]
pub(crate) struct Workers {
    running: JoinSet<io::Result<()>>,
    names: HashMap<Id, &'static str>,
}

impl Workers {
    /// Starts one, which must not end before it is told to.
    pub(crate) fn start(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.start_fallible(name, async {
            work.await;
            Ok(())
        });
    }

    /// Starts one that can say why it breaks off.
    pub(crate) fn start_fallible(
        &mut self,
        name: &'static str,
        work: impl Future<Output = io::Result<()>> + Send + 'static,
    ) {
        self.names.insert(self.running.spawn(work).id(), name);
    }

    /// Waits until one breaks off, and says which and why.
    pub(crate) async fn broken_off(&mut self) -> anyhow::Error {
        let (id, why) = match self.running.join_next_with_id().await {
            Some(Ok((id, Ok(())))) => (id, "it came to its end".to_owned()),
            Some(Ok((id, Err(error)))) => (id, error.to_string()),
            Some(Err(broken)) => (broken.id(), format!("it panicked: {}", words_of(broken))),
            None => std::future::pending().await,
        };
        let name = self.names.get(&id).copied().unwrap_or_default();
        anyhow!("{name} broke off: {why}")
    }

    /// Waits until all have ended.
    pub(crate) async fn ended(mut self) {
        while self.running.join_next().await.is_some() {}
    }
}
