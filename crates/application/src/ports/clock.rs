//! The time.

use domain::Timestamp;

/// Tells the time. Everything that depends on the time takes it from here.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}
