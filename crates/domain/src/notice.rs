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
    /// The notice in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Suspended { subscription_id, protocol, endpoint, failing_since } => format!(
                "A subscription was suspended: nothing has got through to {protocol} {endpoint} since {}.\n\
                 Subscription ID: {subscription_id}\n\
                 Its deliveries wait. Once the receiver works again, resume the subscription; or remove it.",
                failing_since.strftime("%Y-%m-%d %H:%M UTC")
            ),
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
