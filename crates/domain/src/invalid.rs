//! What is wrong with a value that came from outside.

use std::fmt;

/// An input that cannot be taken: which field, why, and under which stable code.
///
/// The message is written for the caller: it names the field and the limit, and holds nothing internal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Stable, machine-readable: `missing_field`, `wrong_type`, `too_long`, …
    pub code: &'static str,
    /// The field's path in the input, such as `items[2].quantity`; empty when the input as a whole is meant.
    pub field: String,
    /// One sentence for a person.
    pub message: String,
}

impl Invalid {
    /// Says that `field` breaks the rule `code`.
    pub fn new(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, field: field.into(), message: message.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Invalid {}
