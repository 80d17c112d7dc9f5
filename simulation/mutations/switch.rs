//! Which mutation this process shows: the one that `ORDERBELL_MUTATION` names, or none.

use std::sync::LazyLock;

static CHOSEN: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("ORDERBELL_MUTATION").ok());

/// Whether it is that one.
#[must_use]
pub fn is(name: &str) -> bool {
    CHOSEN.as_deref() == Some(name)
}
