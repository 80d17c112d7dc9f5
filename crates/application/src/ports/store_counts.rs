//! How much of everything there is at a moment, for whoever watches.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::endpoint::Protocol;

/// What a pending delivery waits for, by name: its turn, what [`WaitReason`](domain::delivery::WaitReason) names, or a
/// row that it takes and that cannot be read.
pub const WAITS: [&str; 6] =
    [DUE, "retry", "channel_paused", "subscription_suspended", "subscription_not_confirmed", "quarantined"];
/// It waits for nothing but its turn.
pub const DUE: &str = "due";

/// How much of everything there is. A store looks at a bounded number of rows, of each subscription at the first: what
/// is more than some thousands may be given as less than it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Deliveries that wait: by protocol and by what they wait for, one of [`WAITS`].
    pub waiting: BTreeMap<(Protocol, &'static str), u64>,
    /// When the oldest of them was made, by what it waits for.
    pub oldest_waiting: BTreeMap<&'static str, Timestamp>,
    /// Deliveries that ended without success.
    pub dead: u64,
    /// Deliveries about which a person decides.
    pub held: u64,
    /// Channels that send nothing.
    pub paused: Vec<Protocol>,
    /// Subscriptions whose deliveries wait.
    pub suspended: u64,
    /// Orders that were not yet published.
    pub unpublished: u64,
    /// When the oldest of them was accepted.
    pub oldest_unpublished: Option<Timestamp>,
    /// Rows that cannot be read.
    pub quarantined: u64,
}
