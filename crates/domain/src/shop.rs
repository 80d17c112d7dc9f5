//! What the program says of whom it works for.

use crate::language::Language;
use crate::time_zone::TimeZone;

/// The shop that orders are placed at: one to a deployment.
#[derive(Debug, Clone)]
pub struct Shop {
    /// What it says everything in, unless somebody chose another language for themselves.
    pub language: Language,
    /// What its times are told in.
    pub time_zone: TimeZone,
}

/// English, and UTC.
impl Default for Shop {
    fn default() -> Self {
        Self { language: Language::default(), time_zone: TimeZone::UTC }
    }
}
