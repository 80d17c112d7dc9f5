//! What DynamoDB's errors mean, to us and to callers, and how long to wait before trying again.

use std::time::Duration;

use application::{Error, ErrorKind};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::CancellationReason;
use domain::order::OrderId;

use super::item::BadItem;
use crate::failed_call::describe_failure;

/// When a caller had better come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a call did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) class: ErrorClass,
    /// For the log.
    cause: String,
}

/// The classes of failure, by what follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorClass {
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
    pub(super) fn new(class: ErrorClass, cause: impl Into<String>) -> Self {
        Self { class, cause: cause.into() }
    }

    /// What a call came to.
    pub(super) fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        let message = error.message().unwrap_or_default();
        let Some(code) = error.code() else {
            let class = match error {
                SdkError::ConstructionFailure(_) => ErrorClass::Defect,
                _ => ErrorClass::Unknown,
            };
            return Self::new(class, describe_failure("DynamoDB", error));
        };
        let failed = error.raw_response().is_some_and(|answer| answer.status().is_server_error());
        let class = if failed { ErrorClass::Unknown } else { ErrorClass::of_code(code, message) };
        Self::new(class, describe_failure("DynamoDB", error))
    }

    /// What the caller is told when no attempt is known to have stored the order, and one may have.
    pub(super) fn into_doubt(self) -> Error {
        let message = "It is not known whether the order is stored; with the same Idempotency-Key it can be sent again safely";
        Error::new(ErrorKind::Unavailable, "store_unavailable", message)
            .retry_after(RETRY_AFTER)
            .because(self.cause)
    }

    /// What the caller is told; the cause is for the log.
    pub(super) fn into_error(self) -> Error {
        let soon = |kind, code, message| Error::new(kind, code, message).retry_after(RETRY_AFTER);
        match self.class {
            ErrorClass::Throttled => soon(
                ErrorKind::Busy,
                "too_busy",
                "More is asked than the table takes at present; nothing was changed",
            ),
            ErrorClass::Conflict => soon(
                ErrorKind::Busy,
                "too_busy",
                "Too many requests with this Idempotency-Key come at once; nothing was changed",
            ),
            ErrorClass::Unknown => {
                soon(ErrorKind::Unavailable, "store_unavailable", "The table does not answer at present")
            }
            ErrorClass::Closed => {
                soon(ErrorKind::Unavailable, "store_unavailable", "The table cannot be used at present")
            }
            ErrorClass::NoIndex => Error::new(
                ErrorKind::NotOnThisHost,
                "not_on_this_host",
                "The table lacks the index that this takes; it works as soon as the index is there",
            ),
            ErrorClass::Defect => return Error::internal(self.cause),
        }
        .because(self.cause)
    }
}

impl ErrorClass {
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
        let passes = |class: &Self| matches!(class, Self::Throttled | Self::Conflict);
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
        Self::new(ErrorClass::Defect, bad.to_string())
    }
}

/// The wait after the first attempt at a call that was throttled; twice as long after each.
const MIN_DELAY: Duration = Duration::from_millis(40);
/// The longest such wait.
const MAX_DELAY: Duration = Duration::from_millis(640);

/// How long to wait before asking the table again: twice as long after each attempt (the first is 1), less up to a half: the
/// random part of the order's id throws the dice, so that requests that met once do not meet again.
pub(super) fn retry_delay(attempt: u32, order: OrderId) -> Duration {
    let longest = MIN_DELAY.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(MAX_DELAY);
    let (_, random) = order.0.as_u64_pair();
    let throw = random.rotate_right(attempt.wrapping_mul(8)) & 0xff;
    longest.mul_f64(1.0 - f64::from(u8::try_from(throw).unwrap_or(0)) / 512.0)
}

#[expect(clippy::disallowed_methods, reason = "the adapter waits for the table")]
pub(super) async fn wait_to_retry(delay: Duration) {
    tokio::time::sleep(delay).await;
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn what_the_table_says_is_kept_from_the_caller_and_for_the_log() {
        for class in [
            ErrorClass::Throttled,
            ErrorClass::Conflict,
            ErrorClass::Unknown,
            ErrorClass::Closed,
            ErrorClass::Defect,
        ] {
            let error = Failure::new(class, "arn:aws:dynamodb:eu-central-1:1234:table/Secret").into_error();
            assert!(!error.to_string().contains("arn:"), "{error}");
            assert!(error.cause().contains("arn:"), "{error}");
        }
    }

    #[test]
    fn a_table_without_the_index_is_told_from_one_whose_index_is_being_built() {
        let code = "ValidationException";
        let class = |message| ErrorClass::of_code(code, message);
        assert_eq!(class("The table does not have the specified index: newest"), ErrorClass::NoIndex);
        assert_eq!(class("Cannot read from backfilling global secondary index: newest"), ErrorClass::Closed);
        assert_eq!(class("One or more parameter values were invalid"), ErrorClass::Defect);
    }

    #[test]
    fn the_wait_grows_to_its_limit_and_differs_from_order_to_order() {
        let one = OrderId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        let other = OrderId::new(Timestamp::UNIX_EPOCH, [200; 10]);
        assert!((20..=40).contains(&retry_delay(1, one).as_millis()));
        assert!((320..=640).contains(&retry_delay(9, one).as_millis()));
        assert!((320..=640).contains(&retry_delay(u32::MAX, one).as_millis()));
        assert_ne!(retry_delay(1, one), retry_delay(1, other));
    }
}
