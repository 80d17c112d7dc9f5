//! The handle to the open store.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use application::Error;
use application::ports::{Clock, Randomness, Readiness};
use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore, watch};

use crate::OpenError;
use crate::commit::State;
use crate::commit_health::CommitHealth;
use crate::failure::{Failure, shutting_down};
use crate::opening::{self, Opened, sqlite_error};
use crate::publishing::publish::Candidates;
use crate::queue::Queue;
use crate::readers::{Readers, Reading};
use crate::replies::Replies;
use crate::write::{MAX_ROWS_PER_WRITE, Progress, Transaction, Write};
use crate::writer::{self, Writer};

/// How many orders may wait for the writer where nothing else is chosen.
const MAX_WAITING_ORDERS: usize = 4_096;
/// How many hashes of idempotency keys gather in memory where nothing else is chosen.
const KEYS_IN_MEMORY: usize = 262_144;
/// How many writes other than orders may be under way at once; further callers wait.
const MAX_OTHER_WRITES: usize = 256;

/// What the store needs from its host, and how much it takes on.
#[derive(Clone)]
pub struct Options {
    /// The time of what it makes by itself, such as deliveries.
    pub clock: Arc<dyn Clock>,
    /// The ids of what it makes by itself.
    pub randomness: Arc<dyn Randomness>,
    /// How many idempotency keys gather in memory before they are moved to the index on disk. Memory holds half as many
    /// more while that lasts, and a start reads no more than that: about 60 bytes each, beside 8 MB of filters.
    pub keys_in_memory: usize,
    /// How many orders may wait for the writer; one more is answered `too_busy`.
    pub waiting_orders: usize,
}

impl Options {
    /// 262,144 keys gather in memory, 31 MB at most with their filters; 4,096 orders may wait.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        Self { clock, randomness, keys_in_memory: KEYS_IN_MEMORY, waiting_orders: MAX_WAITING_ORDERS }
    }
}

/// Wakes those who follow the store. Each is notified after the commit, once however much happened since.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// Orders were stored.
    pub orders: Arc<Notify>,
    /// Deliveries may be due that were not before.
    pub deliveries: Arc<Notify>,
    /// A person had what waits tried at once, or resumed a subscription: endpoints are no longer to be left alone.
    pub pauses_lifted: Arc<Notify>,
}

/// A handle to an open store; clones share it. [`close`](Self::close) it in the end.
///
/// It lives on a tokio runtime: reads run on the runtime's blocking threads.
#[derive(Clone)]
pub struct Store {
    pub(crate) options: Options,
    shared: Arc<Shared>,
}

struct Shared {
    queue: Arc<Queue>,
    others: Arc<Semaphore>,
    commit_health: Arc<CommitHealth>,
    reading: Reading,
    signals: Signals,
    failed: watch::Receiver<Option<String>>,
    /// What the relay matches orders with, kept between two of its runs.
    candidates: Mutex<Option<Candidates>>,
    /// The writer's.
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the store in `folder`, making both if they are not there. Blocks while it does.
    ///
    /// # Errors
    /// Why it cannot; what is in the folder was not changed then.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        let Opened { file, connection, lock, files } = opening::open(folder)?;
        let state =
            State::read(connection, options.keys_in_memory).map_err(|error| sqlite_error(&file, error))?;
        let (store, writer) = Self::around(state, options, Reading::Pool(Readers::new(file)));
        let writer = writer.watching(files);
        let thread = writer::start(writer, lock)
            .map_err(|error| OpenError::Other { path: folder.to_owned(), cause: error.into() })?;
        *store.thread() = Some(thread);
        Ok(store)
    }

    /// A handle to `state`, and the writer that must be given turns for the handle to be answered.
    pub(crate) fn around(mut state: State, options: Options, reading: Reading) -> (Self, Writer) {
        let queue = Arc::new(Queue::new(options.waiting_orders));
        for follow_up in state.follow_ups.drain(..) {
            // A new queue takes everything.
            let _ = queue.push_other(follow_up.write());
        }
        let signals = Signals::default();
        let (sender, failed) = watch::channel(None);
        let commit_health = Arc::<CommitHealth>::default();
        let clock = Arc::clone(&options.clock);
        let writer = Writer::new(
            state,
            Arc::clone(&queue),
            signals.clone(),
            (sender, Arc::clone(&commit_health)),
            clock,
        );
        let others = Arc::new(Semaphore::new(MAX_OTHER_WRITES));
        let shared = Shared {
            queue,
            others,
            commit_health,
            reading,
            signals,
            failed,
            candidates: Mutex::default(),
            thread: Mutex::new(None),
        };
        (Self { options, shared: Arc::new(shared) }, writer)
    }

    /// What to wait for.
    #[must_use]
    pub fn signals(&self) -> Signals {
        self.shared.signals.clone()
    }

    /// Waits until the store can acknowledge nothing more, and says why: the program must end then.
    pub async fn failed(&self) -> String {
        let mut failed = self.shared.failed.clone();
        let reason = failed.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        match reason {
            Some(reason) => reason,
            // It was closed in good order.
            None => std::future::pending().await,
        }
    }

    /// Finishes what waits, writes everything into the one file, and gives the folder free. Afterwards everything that
    /// is asked of the store is answered `shutting_down`.
    pub async fn close(&self) {
        self.shared.reading.close().await;
        self.shared.queue.close();
        let thread = self.thread().take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the writer did not end in good order");
            }
        }
    }

    fn thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the relay keeps between two of its runs.
    pub(crate) fn candidates(&self) -> MutexGuard<'_, Option<Candidates>> {
        self.shared.candidates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits for the writer.
    #[cfg(any(test, feature = "simulation"))]
    pub(crate) fn queue(&self) -> &Queue {
        &self.shared.queue
    }

    /// Whether an order would be taken and stored.
    pub(crate) fn takes_orders(&self) -> Result<Readiness, Error> {
        self.shared.queue.ready()?;
        self.shared.commit_health.ready()
    }

    /// Orders are to give way to telling from now on: for each row that they add, they wait that long, together and within
    /// a bound. All else goes at once.
    pub fn make_orders_give_way(&self, per_row: Duration) {
        self.shared.queue.give_way(per_row);
    }

    /// So many rows follow from orders, who pay for them where they give way.
    pub(crate) fn charge_orders(&self, rows: usize) {
        self.shared.queue.charge(rows);
    }

    /// Makes a write that stores an order and, should it fail, undoes itself; when too many wait, it answers so at once.
    pub(crate) async fn write_order<T, F>(&self, write: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let (write, answer) = Write::new(1, write);
        let write = write.undoing_itself().answered_together_on(Replies::here());
        self.shared.queue.push_order(write)?;
        answer.wait().await
    }

    /// Makes any other write, which touches about so many rows; when too many are under way, it waits.
    pub(crate) async fn write<T, F>(&self, weight: usize, write: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let permit = Arc::clone(&self.shared.others).acquire_owned().await.map_err(|_| shutting_down())?;
        let (write, answer) = Write::new(weight, write);
        self.shared.queue.push_other(write.holding(permit))?;
        answer.wait().await
    }

    /// Makes a write of few rows because of which deliveries may be due.
    pub(crate) async fn write_change<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let write = move |transaction: &mut Transaction<'_>| {
            let changed = change(transaction)?;
            transaction.effects.deliveries = true;
            Ok(changed)
        };
        self.write(1, write).await
    }

    /// Makes one write after another, each from the place where the one before ended; answers how many they changed.
    pub(crate) async fn write_parts<P, F>(&self, first: P, part: F) -> Result<usize, Error>
    where
        P: Send + 'static,
        F: Fn(&mut Transaction<'_>, P) -> Result<Progress<P>, Failure> + Clone + Send + 'static,
    {
        let (mut changed, mut next) = (0, Some(first));
        while let Some(after) = next {
            let part = part.clone();
            let done = self.write(MAX_ROWS_PER_WRITE, move |transaction| part(transaction, after)).await?;
            (changed, next) = (changed + done.count, done.next);
        }
        Ok(changed)
    }

    /// Runs `read`, for people who look at something, on one snapshot of what is committed.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.shared.reading.for_people(read).await
    }

    /// Runs `read`, for a worker, on one snapshot of what is committed: it waits for no reader of people's.
    pub(crate) async fn read_for_work<T, F>(&self, read: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.shared.reading.for_workers(read).await
    }
}

impl Drop for Shared {
    /// The writer ends when nobody can ask for anything any more.
    fn drop(&mut self) {
        self.queue.close();
    }
}
