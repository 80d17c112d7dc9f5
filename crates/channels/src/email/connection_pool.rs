//! Lines that are open and wait for the next mail.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::transaction::Session;

/// How long a line waits. Relays hang up on silent clients, the strictest after a minute or so.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);

/// At most `most` lines, the freshest used first.
pub(super) struct ConnectionPool {
    lines: Mutex<Vec<(Session, Instant)>>,
    most: usize,
}

impl ConnectionPool {
    /// Keeps at most `most`.
    pub(super) fn new(most: usize) -> Self {
        Self { lines: Mutex::new(Vec::new()), most }
    }

    /// The line that was used last, if it was used lately. Lines that waited too long are closed.
    pub(super) fn take(&self) -> Option<Session> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|(_, since)| since.elapsed() < IDLE_TIMEOUT);
        lines.pop().map(|(session, _)| session)
    }

    /// Keeps a line on which no mail is begun, or closes it if enough wait.
    pub(super) fn put(&self, session: Session) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < self.most {
            lines.push((session, Instant::now()));
        }
    }

    /// Closes all: the relay, or what it thinks of us, has changed.
    pub(super) fn clear(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
