//! The one thread that writes: it takes whatever waits, applies it in one commit, and answers everyone.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use application::Error;
use application::ports::Clock;
use domain::Timestamp;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::watch;

use crate::Signals;
use crate::columns::micros;
use crate::commit::{Applied, State, apply};
use crate::commit_health::CommitHealth;
use crate::failure::{Failure, FailureImpact, store_failed};
use crate::files::Files;
use crate::queue::Queue;
use crate::replies::answer_all;
use crate::write::{Effects, FollowUp, MAX_ROWS_PER_WRITE, Write};

/// How often the writer tries whether it can store orders again, at most.
const PROBE_INTERVAL: Duration = Duration::from_secs(3);

/// As much as some orders take.
const FILL_PROBE: &str = "INSERT OR REPLACE INTO probe VALUES (1, zeroblob(32768))";

/// What writes.
pub(crate) struct Writer {
    state: State,
    queue: Arc<Queue>,
    signals: Signals,
    /// Set, with the reason, when nothing more can be acknowledged.
    failed: watch::Sender<Option<String>>,
    commit_health: Arc<CommitHealth>,
    clock: Arc<dyn Clock>,
    /// What it writes to, where that lies on a disk.
    files: Option<Files>,
    /// When it last tried whether orders can be stored again, or met that they cannot.
    probed_at: Timestamp,
    /// What it asked of itself and could not commit.
    left: Vec<FollowUp>,
}

/// What a commit says of whether orders can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proves {
    /// There is room for some.
    Room,
    /// Nothing, unless it stored some.
    OrdersOnly,
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
    /// A writer that works on `state`, takes its work from `queue` and tells how it fares.
    pub(crate) fn new(
        state: State,
        queue: Arc<Queue>,
        signals: Signals,
        (failed, commit_health): (watch::Sender<Option<String>>, Arc<CommitHealth>),
        clock: Arc<dyn Clock>,
    ) -> Self {
        let probed_at = Timestamp::UNIX_EPOCH;
        Self { state, queue, signals, failed, commit_health, clock, files: None, probed_at, left: Vec::new() }
    }

    /// It acknowledges nothing once one of these is gone.
    pub(crate) fn watching(self, files: Files) -> Self {
        Self { files: Some(files), ..self }
    }

    fn run(&mut self) {
        while let Some(writes) = self.queue.next_batch() {
            if writes.is_empty() {
                self.idle();
            } else {
                self.turn(writes);
            }
            self.probe();
        }
    }

    /// Applies a batch in one commit and tells everyone what came of it.
    pub(crate) fn turn(&mut self, mut writes: Vec<Write>) {
        count(writes.len());
        let follow_ups = writes.iter().filter_map(Write::follow_up).cloned().collect::<Vec<_>>();
        let (answers, effects) = self.commit(&mut writes, Proves::OrdersOnly);
        let rest = if answers.iter().all(Result::is_err) {
            // Not at once: a full disk stays full for a while.
            self.left.extend(follow_ups);
            Vec::new()
        } else {
            self.left.drain(..).chain(effects.follow_ups).collect()
        };
        answer_all(writes.into_iter().zip(answers));
        for follow_up in rest {
            // Where the store is being closed, the next start goes on.
            let _ = self.queue.push_other(follow_up.write());
        }
        if effects.orders {
            self.signals.orders.notify_one();
        }
        if effects.deliveries {
            self.signals.deliveries.notify_one();
        }
        if effects.pauses_lifted {
            self.signals.pauses_lifted.notify_one();
        }
    }

    /// Nothing came for a second: looks after the files, and clears away old keys.
    fn idle(&mut self) {
        let now = self.clock.now();
        let is_well = !self.files_are_gone() && self.commit_health.trouble().is_none();
        if is_well && self.state.keys.needs_maintenance(micros(now)) {
            let maintain = Write::new(MAX_ROWS_PER_WRITE, move |transaction| {
                transaction
                    .keys
                    .maintain(transaction.connection, micros(now), MAX_ROWS_PER_WRITE)
                    .map_err(Into::into)
            });
            self.commit(&mut [maintain.0], Proves::OrdersOnly);
        }
    }

    /// Tries now and then whether orders can be stored again: while the program says that they cannot, none may come.
    fn probe(&mut self) {
        let now = self.clock.now();
        let is_due = now.duration_since(self.probed_at).unsigned_abs() >= PROBE_INTERVAL;
        if !is_due
            || !matches!(
                self.commit_health.trouble(),
                Some(FailureImpact::Full | FailureImpact::Locked | FailureImpact::Write)
            )
        {
            return;
        }
        self.probed_at = now;
        let (fill, _) = Write::new(1, |transaction| fill_probe(transaction.connection));
        if self.commit(&mut [fill], Proves::Room).0.iter().all(Result::is_ok) {
            let (clear, _) = Write::new(1, |transaction| clear_probe(transaction.connection));
            self.commit(&mut [clear], Proves::OrdersOnly);
        }
    }

    /// Makes writes in one commit. Nothing is acknowledged that went into files that nobody will find.
    fn commit(&mut self, writes: &mut [Write], proves: Proves) -> (Vec<Result<(), Error>>, Effects) {
        let begun = started();
        let Applied { answers, effects, failure } = apply(&mut self.state, writes);
        metrics::histogram!("orderbell_store_commit_seconds").record(begun.elapsed());
        match &failure {
            Some((FailureImpact::Broken, detail)) => self.fail(detail),
            Some((FailureImpact::Full, detail))
                if self.commit_health.trouble() != Some(FailureImpact::Full) =>
            {
                tracing::error!(detail, "the disk is full: nothing is stored until there is space");
            }
            Some((impact, detail)) if self.commit_health.trouble() != Some(*impact) => {
                tracing::warn!(detail, "a commit failed; its callers were told");
            }
            Some(_) => {}
            None if self.files_are_gone() => {
                let gone = |_| Err(store_failed("its files are gone"));
                return (answers.into_iter().map(gone).collect(), Effects::default());
            }
            None => self.committed(effects.orders || proves == Proves::Room),
        }
        if let Some((impact, _)) = failure {
            if self.commit_health.trouble().is_none() {
                self.probed_at = self.clock.now();
            }
            self.commit_health.failed(impact);
        }
        (answers, effects)
    }

    fn committed(&self, proved_room: bool) {
        let had_trouble = self.commit_health.trouble().is_some();
        self.commit_health.committed(self.clock.now(), proved_room);
        if had_trouble && self.commit_health.trouble().is_none() {
            tracing::info!("orders can be stored again");
        }
    }

    /// Whether what is written goes where nobody will look for it; then the store failed.
    fn files_are_gone(&mut self) -> bool {
        let Some(missing) = self.files.as_mut().and_then(Files::missing) else { return false };
        self.fail(&missing);
        true
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

#[expect(clippy::disallowed_methods, reason = "how long a commit takes is only shown, and decides nothing")]
fn started() -> Instant {
    Instant::now()
}

fn count(writes: usize) {
    let writes = u32::try_from(writes).unwrap_or(u32::MAX);
    metrics::histogram!("orderbell_store_batch_writes").record(f64::from(writes));
}

/// Finds out whether orders could be stored.
fn fill_probe(connection: &Connection) -> Result<(), Failure> {
    connection.execute(FILL_PROBE, ())?;
    Ok(())
}

fn clear_probe(connection: &Connection) -> Result<(), Failure> {
    connection.execute("DELETE FROM probe", ())?;
    Ok(())
}

#[cfg(test)]
mod tests;
