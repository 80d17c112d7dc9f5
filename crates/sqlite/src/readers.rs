//! Where reads run: on connections beside the writer, off the async runtime's threads: a few for the workers and a few
//! for people, so that nobody who looks at things keeps a message from being sent.

use std::path::PathBuf;
#[cfg(feature = "simulation")]
use std::sync::MutexGuard;
use std::sync::{Arc, Mutex, PoisonError};

use application::Error;
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task;

use crate::failure::{shutting_down, unreadable};
use crate::opening::open_reader;
#[cfg(feature = "simulation")]
use crate::writer::Writer;

/// How many reads of the workers run at once: the relay's, the engine's, and one to spare.
const MAX_WORKER_READS: usize = 3;
/// How many reads for people, over the API and the console, run at once; more wait, and leave the processor to the
/// workers.
const MAX_QUERY_READS: usize = 2;

/// Where reads run.
pub(crate) enum Reading {
    /// On connections of their own, beside the writer.
    Pool(Readers),
    /// On the writer's connection, between two of its turns.
    #[cfg(feature = "simulation")]
    OnWriter(SharedWriter),
}

/// The writer of a simulated process, on whose connection reads run, too; `None` once the process is dead.
#[cfg(feature = "simulation")]
#[derive(Clone, Default)]
pub(crate) struct SharedWriter(Arc<Mutex<Option<Writer>>>);

/// The connections, by who reads.
#[derive(Debug)]
pub(crate) struct Readers {
    for_workers: Pool,
    for_people: Pool,
}

/// A small pool of connections, opened as they are needed.
#[derive(Debug, Clone)]
struct Pool {
    file: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    connections: usize,
}

impl Reading {
    /// Runs `read`, for people who look at something, on one snapshot of what is committed.
    pub(crate) async fn for_people<T, F>(&self, read: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        match self {
            Self::Pool(readers) => readers.for_people.read(read).await,
            #[cfg(feature = "simulation")]
            Self::OnWriter(writer) => writer.read(read).await,
        }
    }

    /// Runs `read`, for a worker, on one snapshot of what is committed: it waits for no reader of people's.
    pub(crate) async fn for_workers<T, F>(&self, read: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        match self {
            Self::Pool(readers) => readers.for_workers.read(read).await,
            #[cfg(feature = "simulation")]
            Self::OnWriter(writer) => writer.read(read).await,
        }
    }

    /// Lets no more reads begin, waits for those that run, and closes their connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Pool(readers) => readers.close().await,
            #[cfg(feature = "simulation")]
            Self::OnWriter(_) => {}
        }
    }
}

#[cfg(feature = "simulation")]
impl SharedWriter {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Writer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `read` on what is committed, a moment after it was asked for.
    async fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        task::yield_now().await;
        let mut writer = self.lock();
        let connection = writer.as_mut().ok_or_else(shutting_down)?.connection();
        let snapshot = connection.transaction().map_err(unreadable)?;
        read(&snapshot)
    }
}

impl Readers {
    pub(crate) fn new(file: PathBuf) -> Self {
        let file = Arc::new(file);
        Self {
            for_workers: Pool::new(&file, MAX_WORKER_READS),
            for_people: Pool::new(&file, MAX_QUERY_READS),
        }
    }

    async fn close(&self) {
        self.for_people.close().await;
        self.for_workers.close().await;
    }
}

impl Pool {
    fn new(file: &Arc<PathBuf>, connections: usize) -> Self {
        let permits = Arc::new(Semaphore::new(connections));
        Self { file: Arc::clone(file), idle: Arc::default(), permits, connections }
    }

    /// Runs `read` on one snapshot of what is committed.
    async fn read<T, F>(&self, read: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| shutting_down())?;
        let pool = self.clone();
        let task = task::spawn_blocking(move || {
            // Held to the end of the read, even if nobody waits for it any more.
            let _permit = permit;
            pool.read_blocking(read)
        });
        task.await.map_err(Error::internal)?
    }

    fn read_blocking<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = idle.map_or_else(|| open_reader(&self.file), Ok).map_err(unreadable)?;
        let snapshot = connection.transaction().map_err(unreadable)?;
        let answer = read(&snapshot);
        drop(snapshot);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        answer
    }

    async fn close(&self) {
        let all = u32::try_from(self.connections).unwrap_or(u32::MAX);
        if self.permits.acquire_many(all).await.is_ok() {
            self.permits.close();
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn people_who_read_for_long_keep_no_worker_from_reading() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orderbell.db");
        Connection::open(&file)
            .unwrap()
            .execute_batch("CREATE TABLE t (x); PRAGMA journal_mode = wal")
            .unwrap();
        let readers = Readers::new(file);
        let people = (0..12).map(|_| {
            let (end, ended) = mpsc::channel::<()>();
            let pool = readers.for_people.clone();
            #[expect(clippy::disallowed_methods, reason = "people come side by side")]
            let reading = tokio::spawn(async move {
                // It lasts until the test lets go of its end.
                let read = pool.read(move |_| {
                    let _ = ended.recv();
                    Ok(())
                });
                read.await
            });
            (end, reading)
        });
        let people: Vec<_> = people.collect();
        for _ in 0..20 {
            readers.for_workers.read(|_| Ok(())).await.unwrap();
        }
        for (end, reading) in people {
            drop(end);
            reading.await.unwrap().unwrap();
        }
        readers.close().await;
    }
}
