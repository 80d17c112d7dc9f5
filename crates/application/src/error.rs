//! Why a use case could not do what it was asked.

use std::fmt;
use std::time::Duration;

use domain::Invalid;
use domain::subscription::StaleConfirmation;

/// A failure with a kind, for the host to act on, and a stable code, for the caller.
///
/// `message` is for the caller and holds nothing internal; `source` is for the log.
#[derive(Debug)]
pub struct Error {
    /// What sort of failure it is.
    pub kind: ErrorKind,
    /// Stable and machine-readable, such as `order_not_found`.
    pub code: &'static str,
    /// One sentence for the caller.
    pub message: String,
    /// The input field at fault, if one is.
    pub field: Option<String>,
    /// When trying again makes sense, if it does.
    pub retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The sorts of failure; each host maps them to its own answers once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input breaks a rule.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// It is at odds with what is there.
    Conflict,
    /// The request is understood and cannot be done, such as a reused idempotency key.
    Unprocessable,
    /// It existed once and is over, such as an expired link.
    Gone,
    /// Too much is asked at once; nothing was changed.
    Busy,
    /// The disk is full; nothing was changed.
    StorageFull,
    /// Something that is needed does not answer; nothing is known to have changed.
    Unavailable,
    /// This host does not do that.
    NotOnThisHost,
    /// A defect or a broken store.
    Internal,
}

impl Error {
    /// A failure of `kind`, under `code`, with a sentence for the caller.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), field: None, retry_after: None, source: None }
    }

    /// Adds what only the log may show.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Names the input field at fault.
    #[must_use]
    pub fn at_field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// There is no such `thing` (an order, a subscription, a delivery).
    #[must_use]
    pub fn not_found(code: &'static str, thing: &str) -> Self {
        Self::new(ErrorKind::NotFound, code, format!("There is no such {thing}"))
    }

    /// This host leaves that to another service.
    #[must_use]
    pub fn not_on_this_host() -> Self {
        Self::new(ErrorKind::NotOnThisHost, "not_on_this_host", "This host does not serve that")
    }

    /// What lies behind it, for the log; empty if nothing does.
    #[must_use]
    pub fn cause(&self) -> String {
        self.source.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// A defect or a broken store; the caller learns only that.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, "internal", "Something went wrong on our side").because(source)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        let field = Some(invalid.field).filter(|field| !field.is_empty());
        Self { field, ..Self::new(ErrorKind::Invalid, invalid.code, invalid.message) }
    }
}

impl From<StaleConfirmation> for Error {
    fn from(stale: StaleConfirmation) -> Self {
        let (code, message) = match stale {
            StaleConfirmation::Replaced => {
                ("confirmation_replaced", "A newer confirmation was sent; use the link in that one")
            }
            StaleConfirmation::Expired => {
                ("confirmation_expired", "The confirmation has expired; ask for a new one")
            }
            StaleConfirmation::Ended => ("subscription_ended", "The subscription has ended"),
        };
        Self::new(ErrorKind::Gone, code, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
