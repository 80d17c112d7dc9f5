//! What runs until the program shuts down: here are the workers that only a server has, and the [`driver`]'s among them.

pub(crate) mod clock;
pub(crate) mod gauges;
pub(crate) mod metrics_upkeep;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use application::ErrorKind;
use application::ports::{Clock, DeliveryQueue};
use driver::{BoxedTask, Runtime, Stop, stopped};
use host::own_words;
use sqlite::Store;
use tokio::task::{Id, JoinError, JoinSet};

fn words_of(broken: JoinError) -> &'static str {
    broken.try_into_panic().map_or("it was cancelled", |payload| own_words(&*payload))
}

/// Tasks and timers of the runtime that this is called within.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokioRuntime;

impl Runtime for TokioRuntime {
    #[expect(clippy::disallowed_methods, reason = "this is where tasks come from")]
    fn spawn(&self, _: &'static str, work: BoxedTask) {
        tokio::spawn(work);
    }

    #[expect(clippy::disallowed_methods, reason = "this is where waiting comes from")]
    fn sleep(&self, time: Duration) -> BoxedTask {
        Box::pin(tokio::time::sleep(time))
    }
}

/// The tasks that all have to run: the program shuts down if one breaks off.
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

/// The time between two looks. What happens is gathered for a minute, so that sooner would serve nobody; a look at
/// nothing is one statement.
const ALERT_INTERVAL: Duration = Duration::from_secs(10);

/// Tells operators until the program ends. Each look is one commit, so it may end between any two.
#[expect(clippy::disallowed_methods, reason = "a worker may wait")]
pub(crate) async fn notify_operators(queue: Arc<dyn DeliveryQueue>, clock: Arc<dyn Clock>, mut stop: Stop) {
    while !*stop.borrow() {
        match queue.notify_operators(clock.now()).await {
            Ok(0) => {}
            Ok(made) => {
                metrics::counter!("orderbell_notices_total").increment(made as u64);
                tracing::warn!(notices = made, "notices queued");
            }
            // The writer says it, once.
            Err(error) if error.kind == ErrorKind::StorageFull => {}
            Err(error) => {
                tracing::error!(%error, cause = error.cause(), "telling operators failed; trying again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(ALERT_INTERVAL) => {}
            () = stopped(&mut stop) => break,
        }
    }
}

/// The time between two looks: so long at most does what somebody mended wait.
const REEXAMINATION_INTERVAL: Duration = Duration::from_mins(1);

/// Looks until the program ends. Each row is released in commits of its own, so it may end between any two.
#[expect(clippy::disallowed_methods, reason = "a worker may wait")]
pub(crate) async fn reexamine_quarantined(store: Store, mut stop: Stop) {
    while !*stop.borrow() {
        match store.reexamine().await {
            Ok(0) => {}
            Ok(mended) => tracing::warn!(mended, "quarantined rows released"),
            Err(error) => {
                tracing::error!(%error, cause = error.cause(), "re-reading quarantined rows failed; trying again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(REEXAMINATION_INTERVAL) => {}
            () = stopped(&mut stop) => break,
        }
    }
}
