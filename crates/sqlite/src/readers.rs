//! Connections that read beside the writer, off the async runtime's threads.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use application::Error;
use rusqlite::{Connection, Transaction};
use tokio::sync::Semaphore;
use tokio::task;

use crate::failure::{shutting_down, unreadable};
use crate::opening::open_reader;

/// How many reads run at once; more wait.
const CONNECTIONS: usize = 4;

/// A small pool of connections, opened as they are needed.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    file: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(file: PathBuf) -> Self {
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        Self { file: Arc::new(file), idle: Arc::default(), permits }
    }

    /// Runs `read` on one snapshot of what is committed.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| shutting_down())?;
        let readers = self.clone();
        let task = task::spawn_blocking(move || {
            // Held to the end of the read, even if nobody waits for it any more.
            let _permit = permit;
            readers.read_blocking(read)
        });
        task.await.map_err(Error::internal)?
    }

    fn read_blocking<T>(&self, read: impl FnOnce(&Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = idle.map_or_else(|| open_reader(&self.file), Ok).map_err(unreadable)?;
        let answer = read(&connection.transaction().map_err(unreadable)?);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        answer
    }

    /// Lets no more reads begin, waits for those that run, and closes the connections.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
        if self.permits.acquire_many(all).await.is_ok() {
            self.permits.close();
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
