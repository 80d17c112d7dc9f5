//! The handle to the open store.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use application::Error;
use application::ports::{Clock, Randomness, Readiness};
use rusqlite::Transaction;
use tokio::sync::{Notify, Semaphore, oneshot, watch};

use crate::OpenError;
use crate::apply::{Answer, Command, State};
use crate::failure::{shutting_down, store_failed};
use crate::last_word::LastWord;
use crate::opening::{self, Opened, sqlite_error};
use crate::ports::Candidates;
use crate::queue::{Queue, Request};
use crate::readers::Readers;
#[cfg(feature = "simulation")]
use crate::simulation::Within;
use crate::writer::{self, Writer};

/// How many commands other than orders may be under way at once; further callers wait.
const OTHERS_UNDER_WAY: usize = 256;

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
        Self { clock, randomness, keys_in_memory: 262_144, waiting_orders: 4_096 }
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
    pub hurried: Arc<Notify>,
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
    last_word: Arc<LastWord>,
    reading: Reading,
    signals: Signals,
    failed: watch::Receiver<Option<String>>,
    /// What the relay matches orders with, kept between two of its runs.
    candidates: Mutex<Option<Candidates>>,
    /// The writer's.
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Where reads run.
pub(crate) enum Reading {
    /// On connections of their own, beside the writer.
    Beside(Readers),
    /// On the writer's connection, between two of its turns.
    #[cfg(feature = "simulation")]
    Within(Within),
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
        let (store, writer) = Self::around(state, options, Reading::Beside(Readers::new(file)));
        let writer = writer.watching(files);
        let thread = writer::start(writer, lock)
            .map_err(|error| OpenError::Other { path: folder.to_owned(), source: error.into() })?;
        *store.thread() = Some(thread);
        Ok(store)
    }

    /// A handle to `state`, and the writer that must be given turns for the handle to be answered.
    pub(crate) fn around(mut state: State, options: Options, reading: Reading) -> (Self, Writer) {
        let queue = Arc::new(Queue::new(options.waiting_orders));
        for command in state.rest.drain(..) {
            // Nobody waits for it, and a new queue takes everything.
            let _ = queue.push_other(Request::of_nobody(command));
        }
        let signals = Signals::default();
        let (sender, failed) = watch::channel(None);
        let last_word = Arc::<LastWord>::default();
        let clock = Arc::clone(&options.clock);
        let writer =
            Writer::new(state, Arc::clone(&queue), signals.clone(), (sender, Arc::clone(&last_word)), clock);
        let others = Arc::new(Semaphore::new(OTHERS_UNDER_WAY));
        let shared = Shared {
            queue,
            others,
            last_word,
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
        match &self.shared.reading {
            Reading::Beside(readers) => readers.close().await,
            #[cfg(feature = "simulation")]
            Reading::Within(_) => {}
        }
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
        self.shared.last_word.ready()
    }

    /// Applies a command that stores an order; when too many wait, it answers so at once.
    pub(crate) async fn take_order(&self, command: Command) -> Result<Answer, Error> {
        let (reply, answer) = oneshot::channel();
        self.shared.queue.push_order(Request { command, reply, permit: None })?;
        answered(answer).await
    }

    /// Applies any other command; when too many are under way, it waits.
    pub(crate) async fn write(&self, command: Command) -> Result<Answer, Error> {
        let permit = Arc::clone(&self.shared.others).acquire_owned().await.map_err(|_| shutting_down())?;
        let (reply, answer) = oneshot::channel();
        self.shared.queue.push_other(Request { command, reply, permit: Some(permit) })?;
        answered(answer).await
    }

    /// Runs `read`, for people who look at something, on one snapshot of what is committed.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    {
        match &self.shared.reading {
            Reading::Beside(readers) => readers.for_people.read(read).await,
            #[cfg(feature = "simulation")]
            Reading::Within(writer) => writer.read(read).await,
        }
    }

    /// Runs `read`, for a worker, on one snapshot of what is committed: it waits for no reader of people's.
    pub(crate) async fn read_for_work<T, F>(&self, read: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    {
        match &self.shared.reading {
            Reading::Beside(readers) => readers.for_workers.read(read).await,
            #[cfg(feature = "simulation")]
            Reading::Within(writer) => writer.read(read).await,
        }
    }
}

async fn answered(answer: oneshot::Receiver<Result<Answer, Error>>) -> Result<Answer, Error> {
    answer.await.unwrap_or_else(|_| Err(store_failed("the writer died before it answered")))
}

impl Drop for Shared {
    /// The writer ends when nobody can ask for anything any more.
    fn drop(&mut self) {
        self.queue.close();
    }
}
