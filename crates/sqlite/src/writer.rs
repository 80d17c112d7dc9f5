//! The one thread that writes: it takes whatever waits, applies it in one commit, and answers everyone.

use std::fs::File;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rusqlite::config::DbConfig;
use tokio::sync::watch;

use crate::Signals;
use crate::apply::{Applied, State, apply};
use crate::failure::Reach;
use crate::queue::Queue;

/// What the writer is started with.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) state: State,
    pub(crate) queue: Arc<Queue>,
    pub(crate) signals: Signals,
    /// Set, with the reason, when nothing more can be acknowledged.
    pub(crate) failed: watch::Sender<Option<String>>,
    /// The folder's. Dropped last: the folder is free when the connection is closed.
    pub(crate) _lock: File,
}

/// Starts the thread; it ends when the queue is closed and empty, or when the store fails.
pub(crate) fn start(writer: Writer) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name("writer".to_owned()).spawn(move || writer.run())
}

impl Writer {
    fn run(mut self) {
        let mut full = false;
        while let Some(requests) = self.queue.next_batch() {
            let (commands, replies): (Vec<_>, Vec<_>) =
                requests.into_iter().map(|request| (request.command, request.reply)).unzip();
            count(commands.len());
            let Applied { answers, effects, failure } = apply(&mut self.state, commands);
            match &failure {
                Some((Reach::Broken, detail)) => self.fail(detail),
                Some((Reach::Full, _)) if full => {}
                Some((_, detail)) => tracing::warn!(detail, "a commit failed; its callers were told"),
                None => {}
            }
            full = matches!(failure, Some((Reach::Full, _)));
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
        }
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

impl Drop for Writer {
    /// Whatever ends the thread, nobody may wait for it for ever.
    fn drop(&mut self) {
        if thread::panicking() {
            self.fail("the writer panicked");
        }
    }
}

fn count(commands: usize) {
    let commands = u32::try_from(commands).unwrap_or(u32::MAX);
    metrics::histogram!("orderbell_store_batch_commands").record(f64::from(commands));
}
