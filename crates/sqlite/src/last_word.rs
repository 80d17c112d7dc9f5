//! What the writer says of itself: whether its last commit succeeded, and when one did.

use std::sync::{Mutex, MutexGuard, PoisonError};

use application::ports::Readiness;
use application::{Error, ErrorKind};
use domain::Timestamp;

use crate::failure::FailureScope;

/// What readiness means here.
const VOUCHES_FOR: &str = "the store took its last commit";

/// The writer's last word. Asking costs nothing.
#[derive(Debug, Default)]
pub(crate) struct LastWord(Mutex<Word>);

#[derive(Debug, Default, Clone, Copy)]
struct Word {
    committed_at: Option<Timestamp>,
    trouble: Option<FailureScope>,
}

impl LastWord {
    /// A commit succeeded. On a full disk there may still be room for small ones: that it is full is over only when one
    /// has `proved_room`.
    pub(crate) fn committed(&self, now: Timestamp, proved_room: bool) {
        let mut word = self.word();
        word.committed_at = Some(now);
        if proved_room || word.trouble != Some(FailureScope::Full) {
            word.trouble = None;
        }
    }

    /// A commit failed.
    pub(crate) fn failed(&self, reach: FailureScope) {
        self.word().trouble = Some(reach);
    }

    /// How far that reaches which keeps orders from being stored, if anything does.
    pub(crate) fn trouble(&self) -> Option<FailureScope> {
        self.word().trouble
    }

    /// Whether an order would be stored, as far as the last commit tells.
    ///
    /// # Errors
    /// Why the last commit failed, under the codes `storage_full`, `locked` and `store_failed`.
    pub(crate) fn ready(&self) -> Result<Readiness, Error> {
        let Word { committed_at, trouble } = *self.word();
        let Some(reach) = trouble else {
            return Ok(Readiness { last_commit: committed_at, vouches_for: VOUCHES_FOR });
        };
        let (kind, code, what) = match reach {
            FailureScope::Full => (ErrorKind::StorageFull, "storage_full", "The disk is full"),
            FailureScope::Locked => {
                (ErrorKind::Busy, "locked", "Another process holds the database's write lock")
            }
            FailureScope::Write | FailureScope::Broken => {
                (ErrorKind::Unavailable, "store_failed", "A commit failed")
            }
        };
        let since = match committed_at {
            Some(time) => format!("{what}; the last commit was at {time}"),
            None => format!("{what}; nothing was committed since the start"),
        };
        Err(Error::new(kind, code, since))
    }

    fn word(&self) -> MutexGuard<'_, Word> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_commit_decides_but_a_small_one_does_not_make_a_full_disk_empty() {
        let word = LastWord::default();
        assert_eq!(word.ready().unwrap(), Readiness { last_commit: None, vouches_for: VOUCHES_FOR });
        word.failed(FailureScope::Full);
        let error = word.ready().unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::StorageFull, "storage_full"));
        assert!(error.message.contains("nothing was committed"), "{error}");
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        word.committed(now, false);
        assert_eq!(word.ready().unwrap_err().code, "storage_full", "there was room for something small");
        word.committed(now, true);
        assert_eq!(word.ready().unwrap(), Readiness { last_commit: Some(now), vouches_for: VOUCHES_FOR });
        word.failed(FailureScope::Locked);
        let error = word.ready().unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::Busy, "locked"));
        assert!(error.message.contains("2023-11-14T22:13:20Z"), "{error}");
        word.failed(FailureScope::Write);
        assert_eq!(word.ready().unwrap_err().code, "store_failed");
    }
}
