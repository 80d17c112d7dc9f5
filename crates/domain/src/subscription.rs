//! A subscriber's standing wish to be told of orders.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attributes::{Attributes, SubscribedTo};
pub use crate::endpoint::{Endpoint, Protocol};
use crate::failure_streak::FailureStreak;
use crate::filter_policy::{FilterPolicy, Mismatch};
pub use crate::id::SubscriptionId;
use crate::order::{LoggedOrder, Seq};
use crate::webhook_secret::WebhookSecrets;

/// How long a confirmation link works: 48 h, as SNS's (two days).
pub const CONFIRMATION_LIFETIME: Duration = Duration::from_hours(48);

/// A protocol, an immutable endpoint, attributes and a state.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription {
    /// Names it.
    pub id: SubscriptionId,
    /// Where its messages go; never changes.
    pub endpoint: Endpoint,
    /// What was chosen for it.
    pub attributes: Attributes,
    /// Whether it is told at present.
    pub state: SubscriptionState,
    /// Counts the confirmations sent; only the newest one's link works.
    pub generation: u32,
    /// When it was made; `None` where the host does not tell (SNS).
    pub created_at: Option<Timestamp>,
    /// Until when the newest confirmation link works; `None` where the host does not tell (SNS).
    pub confirmation_expires_at: Option<Timestamp>,
    /// When it was confirmed, and whether that was in the sandbox.
    pub confirmation: Option<Confirmation>,
    /// Its endpoint fails, where this host delivers.
    pub failure_streak: Option<FailureStreak>,
    /// While it is suspended: since when, and why.
    pub suspension: Option<Suspension>,
    /// Why and when it ended.
    pub end: Option<End>,
    /// Sign what is sent to a webhook; other protocols have none.
    pub secrets: Option<WebhookSecrets>,
}

/// A subscription whose deliveries wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspension {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: SuspensionReason,
}

/// Who or what suspended a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspensionReason {
    /// Its endpoint failed for [`SUSPEND_AFTER`](crate::failure_streak::SUSPEND_AFTER).
    Failing,
    /// An operator.
    Operator,
}

/// A confirmation that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// When.
    pub at: Timestamp,
    /// The link was read in the sandbox inbox: it proves nothing about the endpoint's owner.
    pub in_sandbox: bool,
}

/// The end of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// Who or what ended a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The subscriber, by the unsubscribe link.
    Unsubscribed,
    /// An operator.
    Removed,
    /// The receiver answered 410 Gone.
    Gone,
    /// The receiver told the provider to send nothing more: STOP, in a text message.
    OptedOut,
}

/// Whether a subscription is told of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscriptionState {
    /// Not confirmed: no order matches it.
    Pending,
    /// Confirmed: it is told.
    Confirmed,
    /// Confirmed, but its deliveries wait.
    Suspended,
    /// Over for good.
    Ended,
}

/// Why a confirmation link does not work, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleConfirmation {
    /// A newer confirmation was sent.
    Replaced,
    /// Its time is over.
    Expired,
    /// The subscription has ended.
    Ended,
}

/// What a subscription was while orders `from` to `to` were accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Whose version it is.
    pub subscription: SubscriptionId,
    /// The first order it holds for.
    pub from: Seq,
    /// The last order it holds for; `None`: it holds still.
    pub to: Option<Seq>,
    /// The state it had.
    pub state: SubscriptionState,
    /// The filter policy it had.
    pub filter_policy: Option<FilterPolicy>,
    /// What the subscription is told of; that never changes.
    pub receives: SubscribedTo,
}

/// Why an order does not match a subscription, which skips it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "because")]
pub enum SkipReason {
    /// It did not exist when the order was accepted.
    NotYetSubscribed,
    /// It had not been confirmed.
    NotConfirmed,
    /// It had ended.
    Ended,
    /// It is told of notices only.
    NoticesOnly,
    /// Its filter policy did not match.
    FilterPolicy {
        /// What did not match.
        mismatch: Mismatch,
    },
}

impl SkipReason {
    /// Its name in the API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotYetSubscribed => "not_yet_subscribed",
            Self::NotConfirmed => "not_confirmed",
            Self::Ended => "ended",
            Self::NoticesOnly => "notices_only",
            Self::FilterPolicy { .. } => "filter_policy",
        }
    }
}

impl Subscription {
    /// Until when the link of a confirmation request works that is sent at `at`, and at which no attempt was used
    /// before: however long it had to wait, its receiver has the whole [`CONFIRMATION_LIFETIME`].
    #[must_use]
    pub fn confirmation_expires_if_sent(&self, at: Timestamp) -> Option<Timestamp> {
        self.confirmation_expires_at.map(|end| end.max(at + CONFIRMATION_LIFETIME))
    }

    /// Whether its confirmation was only given, or only asked for, in the sandbox, which a real provider replaced since:
    /// nobody is asked before somebody wants that.
    #[must_use]
    pub fn has_lapsed(&self) -> bool {
        let times = self.confirmation_expires_at.zip(self.created_at);
        self.state == SubscriptionState::Pending && times.is_some_and(|(end, made)| end <= made)
    }

    /// Whether the confirmation of that `generation` can be given, or was given before.
    ///
    /// # Errors
    /// Why its link does not work.
    pub fn check_confirmation(&self, generation: u32, now: Timestamp) -> Result<(), StaleConfirmation> {
        match self.state {
            SubscriptionState::Ended => Err(StaleConfirmation::Ended),
            SubscriptionState::Pending if generation != self.generation => Err(StaleConfirmation::Replaced),
            // However far a clock was set back.
            SubscriptionState::Pending if self.has_lapsed() => Err(StaleConfirmation::Expired),
            SubscriptionState::Pending if self.confirmation_expires_at.is_some_and(|end| now >= end) => {
                Err(StaleConfirmation::Expired)
            }
            SubscriptionState::Pending | SubscriptionState::Confirmed | SubscriptionState::Suspended => {
                Ok(())
            }
        }
    }
}

impl Version {
    /// Whether the version was in force when the order was accepted.
    #[must_use]
    pub fn contains(&self, seq: Seq) -> bool {
        self.from <= seq && self.to.is_none_or(|to| seq <= to)
    }

    /// Whether `order` matches this version of its subscription.
    ///
    /// # Errors
    /// Why it does not.
    pub fn matches(&self, order: &LoggedOrder) -> Result<(), SkipReason> {
        if !self.contains(order.seq) {
            return Err(SkipReason::NotYetSubscribed);
        }
        match self.state {
            _ if !self.receives.orders() => Err(SkipReason::NoticesOnly),
            SubscriptionState::Pending => Err(SkipReason::NotConfirmed),
            SubscriptionState::Ended => Err(SkipReason::Ended),
            SubscriptionState::Confirmed | SubscriptionState::Suspended => match &self.filter_policy {
                Some(policy) => {
                    policy.matches(&order.order).map_err(|mismatch| SkipReason::FilterPolicy { mismatch })
                }
                None => Ok(()),
            },
        }
    }
}

/// Whether `order` matches the subscription whose `versions` these are.
///
/// # Errors
/// Why it is not.
pub fn matches(order: &LoggedOrder, versions: &[Version]) -> Result<(), SkipReason> {
    let version = versions.iter().find(|version| version.contains(order.seq));
    version.ok_or(SkipReason::NotYetSubscribed)?.matches(order)
}

impl SubscriptionState {
    /// Every state there is.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Confirmed, Self::Suspended, Self::Ended];

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
        }
    }
}

impl SubscriptionState {
    /// The states that may follow this one.
    #[must_use]
    pub fn successors(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Confirmed, Self::Ended],
            Self::Confirmed => &[Self::Pending, Self::Suspended, Self::Ended],
            Self::Suspended => &[Self::Confirmed, Self::Pending, Self::Ended],
            Self::Ended => &[],
        }
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl EndReason {
    /// Every reason there is.
    pub const ALL: [Self; 4] = [Self::Unsubscribed, Self::Removed, Self::Gone, Self::OptedOut];

    /// Why a subscription ends whose receiver wants nothing more.
    #[must_use]
    pub fn of_receiver(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Email | Protocol::Sms => Self::OptedOut,
            Protocol::Webhook | Protocol::Chat => Self::Gone,
        }
    }

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsubscribed => "unsubscribed",
            Self::Removed => "removed",
            Self::Gone => "gone",
            Self::OptedOut => "opted_out",
        }
    }
}

impl SuspensionReason {
    /// Every reason there is.
    pub const ALL: [Self; 2] = [Self::Failing, Self::Operator];

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Operator => "operator",
        }
    }
}
