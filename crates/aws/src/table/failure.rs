//! What DynamoDB's errors mean, to us and to callers.

use std::time::Duration;

use application::{Error, ErrorKind};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::CancellationReason;

use super::item::BadItem;
use crate::failed_call::in_our_words;

/// When a caller had better come again.
const SOON: Duration = Duration::from_secs(1);

/// Why a call did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    /// For the log.
    cause: String,
}

/// The sorts of failure, by what follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// More is asked than the table, an index or the account takes at present. Nothing was done.
    Throttled,
    /// Someone else is writing the same items. Nothing was done.
    Conflict,
    /// No answer, or none that tells what was done.
    Unknown,
    /// The table is not there, or not for us. Nothing was done.
    Closed,
    /// The table has no such index.
    NoIndex,
    /// A request that should not have been made.
    Defect,
}

impl Failure {
    pub(super) fn new(fault: Fault, cause: impl Into<String>) -> Self {
        Self { fault, cause: cause.into() }
    }

    /// What a call came to.
    pub(super) fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        let message = error.message().unwrap_or_default();
        let Some(code) = error.code() else {
            let fault = match error {
                SdkError::ConstructionFailure(_) => Fault::Defect,
                _ => Fault::Unknown,
            };
            return Self::new(fault, in_our_words("DynamoDB", error));
        };
        let failed = error.raw_response().is_some_and(|answer| answer.status().is_server_error());
        let fault = if failed { Fault::Unknown } else { Fault::of_code(code, message) };
        Self::new(fault, in_our_words("DynamoDB", error))
    }

    /// What the caller is told when no attempt is known to have stored the order, and one may have.
    pub(super) fn into_doubt(self) -> Error {
        let message = "It is not known whether the order is stored; with the same Idempotency-Key it can be sent again safely";
        Error::new(ErrorKind::Unavailable, "store_unavailable", message).retry_after(SOON).because(self.cause)
    }

    /// What the caller is told; the cause is for the log.
    pub(super) fn into_error(self) -> Error {
        let soon = |kind, code, message| Error::new(kind, code, message).retry_after(SOON);
        match self.fault {
            Fault::Throttled => soon(
                ErrorKind::Busy,
                "too_busy",
                "More is asked than the table takes at present; nothing was changed",
            ),
            Fault::Conflict => soon(
                ErrorKind::Busy,
                "too_busy",
                "Too many requests with this Idempotency-Key come at once; nothing was changed",
            ),
            Fault::Unknown => {
                soon(ErrorKind::Unavailable, "store_unavailable", "The table does not answer at present")
            }
            Fault::Closed => {
                soon(ErrorKind::Unavailable, "store_unavailable", "The table cannot be used at present")
            }
            Fault::NoIndex => Error::new(
                ErrorKind::NotOnThisHost,
                "not_on_this_host",
                "The table lacks the index that this takes; it works as soon as the index is there",
            ),
            Fault::Defect => return Error::internal(self.cause),
        }
        .because(self.cause)
    }
}

impl Fault {
    /// What a code means, as the developer guide has it ("Error handling with DynamoDB").
    pub(super) fn of_code(code: &str, message: &str) -> Self {
        match code {
            "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingError"
            | "ThrottlingException" => Self::Throttled,
            "ReplicatedWriteConflictException" | "TransactionConflict" | "TransactionConflictException" => {
                Self::Conflict
            }
            "InternalServerError" | "ServiceUnavailable" | "TransactionInProgressException" => Self::Unknown,
            "ValidationException" if message.contains("does not have the specified index") => Self::NoIndex,
            "ResourceNotFoundException" if message.contains("index:") => Self::NoIndex,
            "ValidationException" if message.contains("backfilling") => Self::Closed,
            "AccessDeniedException"
            | "ExpiredTokenException"
            | "InvalidSignatureException"
            | "ResourceNotFoundException"
            | "UnrecognizedClientException" => Self::Closed,
            _ => Self::Defect,
        }
    }

    /// What the reasons of a cancelled transaction mean together: trying again helps if it may help against each.
    pub(super) fn of_reasons(reasons: &[CancellationReason]) -> Self {
        let faults: Vec<_> = reasons
            .iter()
            .filter(|reason| reason.code() != Some("None"))
            .map(|reason| {
                Self::of_code(reason.code().unwrap_or_default(), reason.message().unwrap_or_default())
            })
            .collect();
        let passes = |fault: &Self| matches!(fault, Self::Throttled | Self::Conflict);
        if faults.is_empty() || !faults.iter().all(passes) {
            Self::Defect
        } else if faults.contains(&Self::Throttled) {
            Self::Throttled
        } else {
            Self::Conflict
        }
    }
}

/// Reads may fail with nothing but this.
pub(super) fn unread<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Error {
    Failure::of(error).into_error()
}

impl From<BadItem> for Failure {
    fn from(bad: BadItem) -> Self {
        Self::new(Fault::Defect, bad.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_table_says_is_kept_from_the_caller_and_for_the_log() {
        for fault in [Fault::Throttled, Fault::Conflict, Fault::Unknown, Fault::Closed, Fault::Defect] {
            let error = Failure::new(fault, "arn:aws:dynamodb:eu-central-1:1234:table/Secret").into_error();
            assert!(!error.to_string().contains("arn:"), "{error}");
            assert!(error.cause().contains("arn:"), "{error}");
        }
    }

    #[test]
    fn a_table_without_the_index_is_told_from_one_whose_index_is_being_built() {
        let code = "ValidationException";
        let fault = |message| Fault::of_code(code, message);
        assert_eq!(fault("The table does not have the specified index: newest"), Fault::NoIndex);
        assert_eq!(fault("Cannot read from backfilling global secondary index: newest"), Fault::Closed);
        assert_eq!(fault("One or more parameter values were invalid"), Fault::Defect);
    }
}
