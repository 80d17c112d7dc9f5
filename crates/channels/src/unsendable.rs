//! Messages that cannot be sent as they are.

use std::fmt::Display;

use domain::attempt::{Outcome, OutcomeKind, Scope};

/// The outcome of a message that no attempt will ever send: its delivery is dead at once.
pub(crate) fn never(why: impl Display) -> Outcome {
    Outcome::new(OutcomeKind::Permanent(Scope::Delivery), why.to_string())
}
