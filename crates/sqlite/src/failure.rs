//! What SQLite's errors mean to callers.

use std::time::Duration;

use application::{Error, ErrorKind};
use rusqlite::{ErrorCode, ffi};

use crate::unreadable::is_of_a_row;

/// When a caller who met a full queue, or someone else's lock, had better come again.
const RETRY_AFTER_BUSY: Duration = Duration::from_secs(1);
/// When a caller who met a full disk had better come again.
const RETRY_AFTER_FULL: Duration = Duration::from_secs(30);

/// Why one write could not be made.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It asks for what cannot be; the others in its batch are not touched.
    Refused(Error),
    /// SQLite could not do it.
    Storage(rusqlite::Error),
}

/// How far an error of SQLite reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureImpact {
    /// The write that met it.
    Write,
    /// The batch: the disk is full.
    Full,
    /// The batch: someone else holds the write lock.
    Locked,
    /// The store: what is on disk is no longer certain.
    Broken,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl FailureImpact {
    /// How far `error` reaches.
    pub(crate) fn of(error: &rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, _) = error else { return Self::Write };
        match failure.code {
            ErrorCode::DiskFull => Self::Full,
            // The file that readers and the writer share could not grow.
            _ if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Locked,
            ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly => Self::Broken,
            _ => Self::Write,
        }
    }

    /// What every write of a batch that failed so is answered.
    pub(crate) fn error(self, detail: &str) -> Error {
        match self {
            Self::Full => {
                Error::new(ErrorKind::StorageFull, "storage_full", "The disk is full; nothing was changed")
                    .retry_after(RETRY_AFTER_FULL)
                    .because(detail)
            }
            Self::Locked => too_busy().because(detail),
            Self::Broken => store_failed(detail),
            Self::Write => Error::internal(detail),
        }
    }
}

/// More is asked than the writer can take on.
pub(crate) fn too_busy() -> Error {
    Error::new(ErrorKind::Busy, "too_busy", "Too many orders wait at once; nothing was changed")
        .retry_after(RETRY_AFTER_BUSY)
}

/// The store acknowledges nothing more.
pub(crate) fn store_failed(detail: &str) -> Error {
    Error::new(ErrorKind::Unavailable, "store_failed", "The store failed and takes nothing more")
        .because(detail)
}

/// The store is being closed, or is closed.
pub(crate) fn shutting_down() -> Error {
    Error::new(ErrorKind::Unavailable, "shutting_down", "The store is being closed")
        .retry_after(RETRY_AFTER_BUSY)
}

/// What a write is answered that failed by itself.
pub(crate) fn refused(error: rusqlite::Error) -> Error {
    if !is_of_a_row(&error) {
        return Error::internal(error);
    }
    let message = "What is stored of it cannot be read until it is mended; nothing was changed";
    Error::new(ErrorKind::Conflict, "unreadable_row", message).because(error)
}

/// What a failed read is answered.
pub(crate) fn unreadable(error: rusqlite::Error) -> Error {
    match FailureImpact::of(&error) {
        FailureImpact::Locked => too_busy().because(error),
        _ => Error::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn an_error_reaches_as_far_as_it_endangers_what_is_acknowledged() {
        assert_eq!(FailureImpact::of(&sqlite(ffi::SQLITE_IOERR_FSYNC)), FailureImpact::Broken);
        assert_eq!(FailureImpact::of(&sqlite(ffi::SQLITE_IOERR_WRITE)), FailureImpact::Broken);
        assert_eq!(FailureImpact::of(&sqlite(ffi::SQLITE_CORRUPT)), FailureImpact::Broken);
        assert_eq!(FailureImpact::of(&sqlite(ffi::SQLITE_FULL)), FailureImpact::Full);
        assert_eq!(FailureImpact::of(&sqlite(ffi::SQLITE_IOERR_SHMSIZE)), FailureImpact::Full);
        assert_eq!(FailureImpact::of(&sqlite(ffi::SQLITE_BUSY)), FailureImpact::Locked);
        assert_eq!(FailureImpact::of(&sqlite(ffi::SQLITE_CONSTRAINT_UNIQUE)), FailureImpact::Write);
        assert_eq!(FailureImpact::of(&rusqlite::Error::QueryReturnedNoRows), FailureImpact::Write);
    }

    #[test]
    fn what_sqlite_says_is_kept_from_the_caller() {
        let error = FailureImpact::Full.error("/secret/path");
        assert!(!error.to_string().contains("secret"));
        assert_eq!((error.kind, error.code), (ErrorKind::StorageFull, "storage_full"));
    }
}
