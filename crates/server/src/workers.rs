//! What runs until the program is to end: here are the shells that only a server has, and the [`driver`]'s among them.

pub(crate) mod clock;
pub(crate) mod gauges;
pub(crate) mod operators;
pub(crate) mod reexamination;
pub(crate) mod upkeep;

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use anyhow::anyhow;
use driver::{BoxedTask, Runtime};
use host::own_words;
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
