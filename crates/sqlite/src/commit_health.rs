//! What the writer says of itself: whether its last commit succeeded, and when one did.

use std::sync::{Mutex, MutexGuard, PoisonError};

use application::ports::Readiness;
use application::{Error, ErrorKind};
use domain::Timestamp;

use crate::failure::FailureImpact;

/// What readiness means here.
const VOUCHES_FOR: &str = "the store took its last commit";

/// Whether the last commit succeeded, and when one did last. Asking costs nothing.
#[derive(Debug, Default)]
pub(crate) struct CommitHealth(Mutex<Health>);

#[derive(Debug, Default, Clone, Copy)]
struct Health {
    committed_at: Option<Timestamp>,
    trouble: Option<FailureImpact>,
}

impl CommitHealth {
    /// Notes that a commit succeeded. On a full disk there may still be room for small ones: that it is full is over
    /// only when one has `proved_room`.
    pub(crate) fn committed(&self, now: Timestamp, proved_room: bool) {
        let mut health = self.lock();
        health.committed_at = Some(now);
        if proved_room || health.trouble != Some(FailureImpact::Full) {
            health.trouble = None;
        }
    }

    /// Notes that a commit failed.
    pub(crate) fn failed(&self, impact: FailureImpact) {
        self.lock().trouble = Some(impact);
    }

    /// The impact of what keeps orders from being stored, if anything does.
    pub(crate) fn trouble(&self) -> Option<FailureImpact> {
        self.lock().trouble
    }

    /// Whether an order would be stored, as far as the last commit tells.
    ///
    /// # Errors
    /// Why the last commit failed, under the codes `storage_full`, `locked` and `store_failed`.
    pub(crate) fn ready(&self) -> Result<Readiness, Error> {
        let Health { committed_at, trouble } = *self.lock();
        let Some(impact) = trouble else {
            return Ok(Readiness { last_commit: committed_at, vouches_for: VOUCHES_FOR });
        };
        let (kind, code, what) = match impact {
            FailureImpact::Full => (ErrorKind::StorageFull, "storage_full", "The disk is full"),
            FailureImpact::Locked => {
                (ErrorKind::Busy, "locked", "Another process holds the database's write lock")
            }
            FailureImpact::Write | FailureImpact::Broken => {
                (ErrorKind::Unavailable, "store_failed", "A commit failed")
            }
        };
        let since = match committed_at {
            Some(time) => format!("{what}; the last commit was at {time}"),
            None => format!("{what}; nothing was committed since the start"),
        };
        Err(Error::new(kind, code, since))
    }

    fn lock(&self) -> MutexGuard<'_, Health> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the disk was full since operators were told last.
#[derive(Debug, Default)]
pub(crate) struct FullDisk {
    met: bool,
    since: Option<Timestamp>,
    /// The transaction that is open says so.
    pub(crate) noted: bool,
}

impl FullDisk {
    /// Since when, at the latest: a commit that fails knows no time, and the next look, seconds later, does.
    pub(crate) fn since(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.met.then(|| (*self.since.get_or_insert(now)).min(now))
    }

    /// The open transaction is on disk.
    pub(crate) fn committed(&mut self) {
        if self.noted {
            *self = Self::default();
        }
    }

    /// The open transaction is not on disk: because that is full, or for another reason.
    pub(crate) fn failed(&mut self, full: bool) {
        self.met |= full;
        self.noted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_commit_decides_but_a_small_one_does_not_make_a_full_disk_empty() {
        let health = CommitHealth::default();
        assert_eq!(health.ready().unwrap(), Readiness { last_commit: None, vouches_for: VOUCHES_FOR });
        health.failed(FailureImpact::Full);
        let error = health.ready().unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::StorageFull, "storage_full"));
        assert!(error.message.contains("nothing was committed"), "{error}");
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        health.committed(now, false);
        assert_eq!(health.ready().unwrap_err().code, "storage_full", "there was room for something small");
        health.committed(now, true);
        assert_eq!(health.ready().unwrap(), Readiness { last_commit: Some(now), vouches_for: VOUCHES_FOR });
        health.failed(FailureImpact::Locked);
        let error = health.ready().unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::Busy, "locked"));
        assert!(error.message.contains("2023-11-14T22:13:20Z"), "{error}");
        health.failed(FailureImpact::Write);
        assert_eq!(health.ready().unwrap_err().code, "store_failed");
    }
}
