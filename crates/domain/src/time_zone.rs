//! The time zones that times are told in.

use std::sync::Arc;

pub use jiff::tz::TimeZone;

use crate::Invalid;

/// The name of a zone as the IANA Time Zone Database has it, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZoneName(Arc<str>);

impl TimeZoneName {
    /// Reads what is chosen as `field`, in letters of either case: a zone of this machine's database, or of the program's
    /// own where it has none.
    ///
    /// # Errors
    /// `invalid_time_zone`, naming the field.
    pub fn parse(field: &str, name: &str) -> Result<Self, Invalid> {
        let zone = TimeZone::get(name).ok();
        let known = zone.as_ref().and_then(TimeZone::iana_name).map(|name| Self(name.into()));
        let message = || format!("{field} must be {}", Self::CHOICES);
        known.ok_or_else(|| Invalid::new("invalid_time_zone", field, message()))
    }

    /// Takes a name back from the store, whether this machine knows it or not.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The zone, if this machine knows it.
    #[must_use]
    pub fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(&self.0).ok()
    }

    /// What can be chosen, in words.
    pub const CHOICES: &str = "a time zone's name (IANA) such as Europe/Berlin";
}
