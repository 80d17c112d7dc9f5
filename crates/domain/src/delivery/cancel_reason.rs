//! Why a delivery was cancelled.

use serde::{Deserialize, Serialize};

/// What cancelled a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// A person dropped it.
    Dropped,
    /// Its subscription ended before it was sent (again).
    SubscriptionEnded,
    /// It asked for a confirmation that came, or was asked for anew.
    Superseded,
    /// A person said that its order is spam.
    Spam,
}

impl CancelReason {
    /// Every reason there is.
    pub const ALL: [Self; 4] = [Self::Dropped, Self::SubscriptionEnded, Self::Superseded, Self::Spam];

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::SubscriptionEnded => "subscription_ended",
            Self::Superseded => "superseded",
            Self::Spam => "spam",
        }
    }
}
