//! The one thread that writes: it takes whatever waits, applies it in one commit, and answers everyone.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

#[cfg(feature = "simulation")]
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::watch;

use crate::Signals;
use crate::apply::{Applied, State, apply};
use crate::failure::Reach;
use crate::queue::{Queue, Request};

/// What writes.
#[derive(Debug)]
pub(crate) struct Writer {
    state: State,
    queue: Arc<Queue>,
    signals: Signals,
    /// Set, with the reason, when nothing more can be acknowledged.
    failed: watch::Sender<Option<String>>,
    /// The last batch met a full disk.
    full: bool,
}

/// Starts the thread; it ends when the queue is closed and empty, or when the store fails. `lock` is the folder's: the
/// folder is free when the connection is closed.
pub(crate) fn start(mut writer: Writer, lock: File) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name("writer".to_owned()).spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| writer.run()));
        if ended.is_err() {
            // Whatever ends the thread, nobody may wait for it for ever.
            writer.fail("the writer panicked");
        }
        drop(writer);
        drop(lock);
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
    })
}

impl Writer {
    /// A writer that works on `state` and takes its work from `queue`.
    pub(crate) fn new(
        state: State,
        queue: Arc<Queue>,
        signals: Signals,
        failed: watch::Sender<Option<String>>,
    ) -> Self {
        Self { state, queue, signals, failed, full: false }
    }

    fn run(&mut self) {
        while let Some(requests) = self.queue.next_batch() {
            self.turn(requests);
        }
    }

    /// Applies a batch in one commit and tells everyone what came of it.
    pub(crate) fn turn(&mut self, requests: Vec<Request>) {
        let (commands, replies): (Vec<_>, Vec<_>) =
            requests.into_iter().map(|request| (request.command, request.reply)).unzip();
        count(commands.len());
        let Applied { answers, effects, failure } = apply(&mut self.state, commands);
        match &failure {
            Some((Reach::Broken, detail)) => self.fail(detail),
            Some((Reach::Full, _)) if self.full => {}
            Some((_, detail)) => tracing::warn!(detail, "a commit failed; its callers were told"),
            None => {}
        }
        self.full = matches!(failure, Some((Reach::Full, _)));
        for (reply, answer) in replies.into_iter().zip(answers) {
            // Whoever asked may have gone.
            let _ = reply.send(answer);
        }
        if effects.orders {
            self.signals.orders.notify_one();
        }
        if effects.deliveries {
            self.signals.deliveries.notify_one();
        }
        if effects.hurried {
            self.signals.hurried.notify_one();
        }
    }

    /// What it writes on.
    #[cfg(feature = "simulation")]
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.state.connection
    }

    /// Ends it where it stands.
    #[cfg(feature = "simulation")]
    pub(crate) fn into_connection(self) -> Connection {
        self.state.connection
    }

    /// After a failed sync nobody knows what is on disk: the next start reads it anew.
    fn fail(&self, detail: &str) {
        // Closing must not move anything from the log into the file, either.
        let _ = self.state.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        tracing::error!(detail, "the store failed and acknowledges nothing more");
        self.queue.fail(detail);
        self.failed.send_replace(Some(detail.to_owned()));
    }
}

fn count(commands: usize) {
    let commands = u32::try_from(commands).unwrap_or(u32::MAX);
    metrics::histogram!("orderbell_store_batch_commands").record(f64::from(commands));
}
