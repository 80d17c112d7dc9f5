//! Why a delivery waits, and why it was cancelled.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::DeliveryKind;
use crate::subscription::SubscriptionState;

/// What a pending delivery waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitReason {
    /// Something that it takes to make it cannot be read: a person must mend that.
    Quarantined,
    /// Its subscription is suspended.
    SubscriptionSuspended,
    /// Its subscription must be confirmed (again), and it is not the request for that.
    SubscriptionNotConfirmed,
    /// Its channel is paused: it fails, or none is configured.
    ChannelPaused,
    /// It is tried at a later time: again, or once its endpoint's Retry-After is over.
    Retry,
}

/// A pending delivery, as far as waiting goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// What it carries.
    pub kind: DeliveryKind,
    /// The state of the subscription that it goes to.
    pub subscription: SubscriptionState,
    /// Whether its channel is paused.
    pub channel_paused: bool,
    /// When it is tried next: not before its endpoint's pause is over.
    pub at: Timestamp,
    /// Whether something that it takes to make it cannot be read.
    pub quarantined: bool,
}

impl Waiting {
    /// What it waits for at the time `now`; of several things, the one that only a person ends comes first. `None`: it is
    /// due.
    #[must_use]
    pub fn because(self, now: Timestamp) -> Option<WaitReason> {
        match self.subscription {
            _ if self.quarantined => Some(WaitReason::Quarantined),
            SubscriptionState::Suspended => Some(WaitReason::SubscriptionSuspended),
            SubscriptionState::Pending if self.kind != DeliveryKind::Confirmation => {
                Some(WaitReason::SubscriptionNotConfirmed)
            }
            _ if self.channel_paused => Some(WaitReason::ChannelPaused),
            _ => (self.at > now).then_some(WaitReason::Retry),
        }
    }
}

impl WaitReason {
    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::SubscriptionSuspended => "subscription_suspended",
            Self::SubscriptionNotConfirmed => "subscription_not_confirmed",
            Self::ChannelPaused => "channel_paused",
            Self::Retry => "retry",
        }
    }
}

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
