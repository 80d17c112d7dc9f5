//! What an operator is told of: what the program did by itself, and a person should look at.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::endpoint::Protocol;
use crate::id::SubscriptionId;

/// The subject of a notice.
pub const SUBJECT: &str = "Orderbell needs your attention";

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "notice")]
pub enum Notice {
    /// A subscription was suspended because its endpoint had failed for too long.
    Suspended {
        /// Which.
        subscription_id: SubscriptionId,
        /// Its protocol.
        protocol: Protocol,
        /// Where it leads, masked.
        endpoint: String,
        /// Since when nothing got through.
        failing_since: Timestamp,
    },
}

impl Notice {
    /// The notice in words; its last line is the [`command`](Self::command).
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}", self.words(), self.command())
    }

    /// What happened, and when the [`command`](Self::command) is in place.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Suspended { protocol, endpoint, failing_since, .. } => format!(
                "A subscription was suspended: nothing has got through to {protocol} {endpoint} since {}.\n\
                 Its deliveries wait. Remove it, or resume it once the receiver works again:",
                failing_since.strftime("%Y-%m-%d %H:%M UTC")
            ),
        }
    }

    /// What to type: a link would ask a browser for the admin key, which a person's browser does not have.
    #[must_use]
    pub fn command(&self) -> String {
        match self {
            Self::Suspended { subscription_id, .. } => {
                format!("orderbell subscription resume {subscription_id}")
            }
        }
    }

    /// The subscription it is about.
    #[must_use]
    pub fn subscription(&self) -> SubscriptionId {
        match self {
            Self::Suspended { subscription_id, .. } => *subscription_id,
        }
    }
}
