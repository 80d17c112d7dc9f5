//! What a failed call to SNS means: for the caller, and for whoever may try again.
//!
//! Source: AWS, "Common errors" in the Amazon SNS API Reference.

use std::time::Duration;

use application::{Error, ErrorKind};
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};

use crate::failed_call::describe_failure;

/// How long a caller should wait when SNS asks for fewer calls.
const RETRY_AFTER: Duration = Duration::from_secs(2);

const THROTTLING: [&str; 6] = [
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
];

const REFUSING: [&str; 8] = [
    "InvalidParameter",
    "InvalidParameterValue",
    "ParameterValueInvalid",
    "InvalidBatchEntryId",
    "BatchRequestTooLong",
    "ValidationError",
    "ValidationException",
    "ConstructionFailure",
];

/// The classes of failure, by whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorClass {
    /// SNS takes no more calls for now.
    Throttled,
    /// SNS was not reached, did not answer in time, or failed itself.
    Unreachable,
    /// SNS does not take what it was given, now or later.
    Refused,
    /// What the call was about does not exist.
    NotFound,
    /// A quota of the account is used up.
    Quota,
    /// A right, a key or a setting is missing.
    Setup,
}

impl ErrorClass {
    pub(super) fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        let SdkError::ServiceError(answer) = error else {
            let built = matches!(error, SdkError::ConstructionFailure(_));
            return if built { Self::Refused } else { Self::Unreachable };
        };
        let code = answer.err().code().unwrap_or_default();
        let code = code.strip_suffix("Exception").filter(|short| REFUSING.contains(short)).unwrap_or(code);
        match (answer.raw().status().as_u16(), code) {
            (429, _) => Self::Throttled,
            (_, code) if THROTTLING.contains(&code) || code == "KMSThrottling" => Self::Throttled,
            (500.., _) => Self::Unreachable,
            (_, code) if REFUSING.contains(&code) => Self::Refused,
            (_, "NotFound" | "NotFoundException") => Self::NotFound,
            (_, code) if code.contains("LimitExceeded") => Self::Quota,
            _ => Self::Setup,
        }
    }
}

/// The error for the caller; what SNS said is for the log.
pub(super) fn failure<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Error {
    let answer = match ErrorClass::of(error) {
        ErrorClass::Throttled => {
            Error::new(ErrorKind::Busy, "topic_busy", "Too much is asked of SNS at once; nothing was changed")
                .retry_after(RETRY_AFTER)
        }
        ErrorClass::Unreachable => {
            Error::new(ErrorKind::Unavailable, "topic_unavailable", "SNS does not answer")
        }
        ErrorClass::Quota => Error::new(
            ErrorKind::Unprocessable,
            "quota_exceeded",
            "A quota of the AWS account for SNS is used up",
        ),
        ErrorClass::Refused | ErrorClass::NotFound | ErrorClass::Setup => {
            return Error::internal(explain(error));
        }
    };
    answer.because(explain(error))
}

/// A failed call, for the log.
pub(super) fn explain<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    describe_failure("SNS", error)
}
