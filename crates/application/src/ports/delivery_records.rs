//! What became of deliveries, for people.

use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryKind, DeliveryState};
use domain::endpoint::{Endpoint, Protocol};
use domain::order::{LoggedOrder, OrderId};
use domain::subscription::{Subscription, SubscriptionId, Version};

use super::{Page, PageRequest};
use crate::Error;

/// Reads deliveries and sends dead ones again.
#[async_trait]
pub trait DeliveryRecords: Send + Sync {
    /// All that is known of what an order led to.
    async fn story(&self, order: OrderId) -> Result<Option<Story>, Error>;

    /// The delivery of that id.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, Error>;

    /// Deliveries, newest first.
    async fn deliveries(&self, query: DeliveryQuery) -> Result<Page<DeliveryRecord>, Error>;

    /// Makes the selected dead and held deliveries pending again, due `now`, with nothing spent; their attempts stay on
    /// record. Those of ended subscriptions are left as they are. Answers how many were redriven.
    async fn redrive(&self, selection: RedriveSelection, now: Timestamp) -> Result<usize, Error>;
}

/// All that is known of what an order led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The order and its place.
    pub order: LoggedOrder,
    /// Whether it was published.
    pub published: bool,
    /// What is or was owed because of it.
    pub deliveries: Vec<DeliveryRecord>,
    /// Every subscription there ever was, with its versions; why it is not owed the order follows from these.
    pub subscriptions: Vec<(Subscription, Vec<Version>)>,
    /// Pauses of channels since the order was accepted, oldest first.
    pub pauses: Vec<ChannelPause>,
}

/// A delivery on record.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRecord {
    /// Names it.
    pub id: DeliveryId,
    /// What it carries.
    pub kind: DeliveryKind,
    /// Whom it is owed to.
    pub subscription: SubscriptionId,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// The order it tells of.
    pub order: Option<OrderId>,
    /// How far it has come.
    pub state: DeliveryState,
    /// When it was owed first.
    pub created_at: Timestamp,
    /// When it is tried next, while pending; when it came to its state, otherwise.
    pub at: Timestamp,
    /// Attempts that count against the schedule.
    pub spent: u32,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptRecord>,
}

/// An attempt on record. Its outcome's words are those of [`domain::attempt`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Which attempt, from 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it is in flight.
    pub ended_at: Option<Timestamp>,
    /// What came of it, by name.
    pub outcome: Option<String>,
    /// Whose failure it was, by name.
    pub scope: Option<String>,
    /// Whether it counts against the schedule.
    pub spent: bool,
    /// The receiver's own reply.
    pub reply: Option<String>,
}

/// A time in which a channel sent nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelPause {
    /// Which channel.
    pub protocol: Protocol,
    /// Since when.
    pub from: Timestamp,
    /// Until when; `None`: still.
    pub to: Option<Timestamp>,
    /// What failed, in words.
    pub reason: String,
}

/// Which deliveries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Only those owed to this subscription.
    pub subscription: Option<SubscriptionId>,
    /// Only those that tell of this order.
    pub order: Option<OrderId>,
    /// Which page.
    pub page: PageRequest,
}

/// Which deliveries to send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedriveSelection {
    /// This one.
    One(DeliveryId),
    /// All that are dead.
    Dead {
        /// Only those owed to this subscription.
        subscription: Option<SubscriptionId>,
    },
}
