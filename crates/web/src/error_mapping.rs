//! From the kinds of failure that use cases know to HTTP's statuses: here and nowhere else.

use std::time::Duration;

use application::{Error, ErrorKind};
use domain::Invalid;
use http::StatusCode;

use crate::problem::Problem;

/// How long a client waits before it asks a full disk again: a person has to make room first.
const STORAGE_FULL_RETRY_AFTER: Duration = Duration::from_mins(1);
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(1);

fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Gone => StatusCode::GONE,
        // Not 507 for a full disk: that is WebDAV's, and clients and proxies repeat only what they know to be
        // passing.
        ErrorKind::Busy | ErrorKind::StorageFull | ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::NotOnThisHost => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn retry_after(error: &Error) -> Option<Duration> {
    let usual = match error.kind {
        ErrorKind::Busy | ErrorKind::Unavailable => Some(BUSY_RETRY_AFTER),
        ErrorKind::StorageFull => Some(STORAGE_FULL_RETRY_AFTER),
        _ => None,
    };
    error.retry_after.or(usual)
}

impl From<Error> for Problem {
    /// Logs what the caller must not see. Load that is shed is counted, not logged: a flood must not become
    /// two.
    fn from(error: Error) -> Self {
        match error.kind {
            ErrorKind::Internal | ErrorKind::StorageFull | ErrorKind::Unavailable => {
                tracing::error!(code = error.code, cause = error.cause(), "request failed");
            }
            // What it says may quote the caller.
            _ => tracing::debug!(code = error.code, "request refused"),
        }
        let retry_after = retry_after(&error);
        let Error { kind, code, message, field, .. } = error;
        Self { status: status(kind), code, detail: message.into(), field, retry_after }
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Error::from(invalid).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passing_says_when_to_come_back() {
        for kind in [ErrorKind::Busy, ErrorKind::StorageFull, ErrorKind::Unavailable] {
            let problem = Problem::from(Error::new(kind, "code", "message"));
            assert_eq!(problem.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(problem.retry_after.is_some());
        }
        let busy = Error::new(ErrorKind::Busy, "busy", "message").retry_after(Duration::from_secs(7));
        assert_eq!(Problem::from(busy).retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn an_internal_error_shows_nothing_of_its_cause() {
        let problem = Problem::from(Error::internal("/var/data/orders.db is broken"));
        assert_eq!(problem.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!format!("{problem:?}").contains("orders.db"));
    }
}
