//! What an operator is told of: what the program did by itself, and a person should look at.

mod quote;
mod words;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::endpoint::Protocol;
use crate::id::{OrderId, SubscriptionId};
use crate::subscription::EndReason;

pub use quote::{MAX_QUOTE, quote};

/// The subject of a notice.
pub const SUBJECT: &str = "Orderbell needs your attention";

/// One notice. What happens often is gathered: `count` says how often it did, and the rest is about the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "notice")]
pub enum Notice {
    /// Subscriptions were suspended because their endpoints had failed for too long.
    Suspended {
        /// How many.
        count: u32,
        /// The newest.
        subscription_id: SubscriptionId,
        /// Its protocol.
        protocol: Protocol,
        /// Where it leads, masked.
        endpoint: String,
        /// Since when nothing got through.
        failing_since: Timestamp,
    },
    /// Subscriptions ended because their receivers said so.
    Ended {
        /// How many.
        count: u32,
        /// The newest.
        subscription_id: SubscriptionId,
        /// Its protocol.
        protocol: Protocol,
        /// Where it led, masked.
        endpoint: String,
        /// What the receiver said.
        reason: EndReason,
    },
    /// Messages ended without success.
    Dead {
        /// How many.
        count: u32,
        /// Over which protocols.
        protocols: Vec<Protocol>,
        /// When the first of them did.
        since: Timestamp,
        /// Why the newest did, as [`quote()`] has it.
        reason: String,
    },
    /// Orders that matched no subscription.
    Unmatched {
        /// How many.
        count: u32,
        /// When the first of them was published.
        since: Timestamp,
        /// The newest.
        order_id: OrderId,
    },
    /// Rows of the store that cannot be read, and were quarantined.
    Quarantined {
        /// How many.
        count: u32,
        /// The table of the newest.
        table: String,
        /// Why that cannot be read, as [`quote()`] has it.
        reason: String,
    },
    /// The disk was full, and is no more.
    DiskFull {
        /// Since when, to a few seconds.
        since: Timestamp,
        /// Until when, to a few seconds.
        until: Timestamp,
    },
    /// Nothing has gone out over a protocol for minutes.
    ChannelPaused {
        /// Over which.
        protocol: Protocol,
        /// Since when.
        since: Timestamp,
        /// Why, as [`quote()`] has it.
        reason: String,
    },
    /// Messages go out again over a protocol whose pause was told.
    ChannelWorks {
        /// Over which.
        protocol: Protocol,
        /// Since when nothing had.
        paused_since: Timestamp,
        /// Since when they do.
        since: Timestamp,
    },
}

/// What several incidents of a kind have in common, to be told in one notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeGroup {
    /// How often.
    pub count: u32,
    /// When first.
    pub since: Timestamp,
    /// Over which protocols, if it is about any.
    pub protocols: Vec<Protocol>,
}

impl Notice {
    /// Its name in the store and the metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Suspended { .. } => "suspended",
            Self::Ended { .. } => "ended",
            Self::Dead { .. } => "dead",
            Self::Unmatched { .. } => "unmatched",
            Self::Quarantined { .. } => "quarantined",
            Self::DiskFull { .. } => "disk_full",
            Self::ChannelPaused { .. } => "channel_paused",
            Self::ChannelWorks { .. } => "channel_works",
        }
    }

    /// The same about all that was gathered, of which this is the newest.
    #[must_use]
    pub fn grouped(mut self, all: NoticeGroup) -> Self {
        match &mut self {
            Self::Suspended { count, .. } | Self::Ended { count, .. } | Self::Quarantined { count, .. } => {
                *count = all.count;
            }
            Self::Unmatched { count, since, .. } => (*count, *since) = (all.count, all.since),
            Self::Dead { count, since, protocols, .. } => {
                (*count, *since, *protocols) = (all.count, all.since, all.protocols);
            }
            Self::DiskFull { since, .. } => *since = all.since,
            Self::ChannelPaused { .. } | Self::ChannelWorks { .. } => {}
        }
        self
    }

    /// The route of the API that tells more.
    #[must_use]
    pub fn route(&self) -> String {
        match self {
            Self::Suspended { count: 1, subscription_id, .. }
            | Self::Ended { count: 1, subscription_id, .. } => format!("/subscriptions/{subscription_id}"),
            Self::Suspended { .. } => "/subscriptions?state=suspended".to_owned(),
            Self::Ended { .. } => "/subscriptions?state=ended".to_owned(),
            Self::Dead { .. } => "/deliveries?state=dead".to_owned(),
            Self::Unmatched { order_id, .. } => format!("/orders/{order_id}"),
            Self::Quarantined { .. } => "/metrics".to_owned(),
            Self::DiskFull { .. } => "/readyz".to_owned(),
            Self::ChannelPaused { .. } | Self::ChannelWorks { .. } => "/deliveries?state=pending".to_owned(),
        }
    }
}
