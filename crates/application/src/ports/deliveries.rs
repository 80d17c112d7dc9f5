//! What became of deliveries, for people.

use async_trait::async_trait;
use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryId, DeliveryKind, DeliveryState, WaitReason, Waiting};
use domain::endpoint::{Endpoint, Protocol};
use domain::notice::Notice;
use domain::order::{LoggedOrder, OrderId};
use domain::receipt::{Receipt, ReceiptStatus};
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState, Version};
use serde::Serialize;

use super::{Page, PageRequest, StoreCounts, UnreadableRow};
use crate::Error;

/// Reads deliveries and sends dead ones again.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// What an order led to: the first deliveries, and the first of those who have none.
    async fn order_history(&self, order: OrderId) -> Result<Option<OrderHistory>, Error>;

    /// Subscriptions that have no delivery of a published order, newest first. A page looks at a bounded number of
    /// subscriptions, so that it may hold fewer than were asked for, and none, though others follow. A bad cursor is
    /// `Invalid`, code `invalid_cursor`.
    async fn unmatched_subscriptions(
        &self,
        order: OrderId,
        page: PageRequest,
    ) -> Result<Option<UnmatchedSubscriptions>, Error>;

    /// The delivery of that id.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, Error>;

    /// Deliveries, newest first.
    async fn deliveries(&self, query: DeliveryQuery) -> Result<Page<DeliveryRecord>, Error>;

    /// The newest confirmation request of each of these subscriptions, where there is one that can be read.
    async fn confirmation_requests(&self, of: Vec<SubscriptionId>) -> Result<Vec<DeliveryRecord>, Error>;

    /// How far the delivery of each of these orders has come, in their own order; an unknown one is told to nobody. At
    /// most [`DeliveryProgress::COUNTED`] deliveries are looked at, of each order as many as of any other.
    async fn delivery_progress(&self, of: Vec<OrderId>) -> Result<Vec<DeliveryProgress>, Error>;

    /// Makes the selected dead and held deliveries pending again, due `now`, with no attempt used; their attempts stay on
    /// record, and so does the [intervention](InterventionRecord). Those of ended subscriptions and confirmation
    /// requests that are superseded are left as they are. Answers how many were redriven.
    async fn redrive(&self, selection: RedriveSelection, now: Timestamp) -> Result<usize, Error>;

    /// Makes the selected deliveries that wait for their time due `now`, and their endpoints no longer left alone, where
    /// their subscriptions may be sent to. No used attempt is forgiven; what was due later has the intervention on
    /// record. Answers how many were selected. For a single one: `NotFound` with `delivery_not_found`, `Conflict` with
    /// `not_pending`, `subscription_suspended` or `not_confirmed`.
    async fn retry(&self, selection: RetrySelection, now: Timestamp) -> Result<usize, Error>;

    /// Cancels the selected deliveries, and records the intervention. Answers how many there were. For a single one:
    /// `NotFound` with `delivery_not_found`, `Conflict` with `not_droppable`.
    async fn drop_deliveries(&self, selection: DropSelection, now: Timestamp) -> Result<usize, Error>;

    /// Records what a provider reports of that attempt, and what follows. A bad report counts while no later attempt
    /// was made, a good one always: the message is there. The same report again changes nothing.
    /// `NotFound` with `delivery_not_found`, which is also the answer if it is no text message, or `attempt_not_found`.
    async fn receipt(
        &self,
        id: DeliveryId,
        attempt: u32,
        receipt: Receipt,
        now: Timestamp,
    ) -> Result<(), Error>;

    /// How much of everything there is, as of `now`; cheap, however much that is.
    async fn store_counts(&self, now: Timestamp) -> Result<StoreCounts, Error>;
}

/// What an order led to, as much of it as a person can read at once.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderHistory {
    /// Those who have no delivery of it, and the order itself.
    pub unmatched: UnmatchedSubscriptions,
    /// Its deliveries, oldest first: the first [`OrderHistory::DELIVERIES`].
    pub deliveries: Vec<DeliveryRecord>,
    /// How many deliveries there are, in each state that has any; counted up to [`OrderHistory::COUNTED`] in all.
    pub counts: Vec<(DeliveryState, usize)>,
    /// Pauses of channels since the order was accepted, oldest first: the first [`OrderHistory::PAUSES`].
    pub pauses: Vec<ChannelPause>,
    /// What else belongs here and cannot be read.
    pub unreadable: Vec<UnreadableRow>,
}

/// How far the delivery of an order has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryProgress {
    /// Whether it was published; until then there are no deliveries of it.
    pub published: bool,
    /// How many deliveries there are, in each state that has any.
    pub counts: Vec<(DeliveryState, usize)>,
    /// Whether all were counted; otherwise there may be more.
    pub is_whole: bool,
}

/// Subscriptions that have no delivery of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct UnmatchedSubscriptions {
    /// The order and its place.
    pub order: LoggedOrder,
    /// Whether it was published; until then nobody has a delivery of it, and this page is empty.
    pub published: bool,
    /// Each with the version that held when the order was accepted, if it had one by then: why the order does not match
    /// follows from that.
    pub page: Page<(Subscription, Option<Version>)>,
}

/// A delivery on record.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRecord {
    /// Names it.
    pub id: DeliveryId,
    /// What it carries.
    pub kind: DeliveryKind,
    /// The subscription that it goes to.
    pub subscription: SubscriptionId,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// The order it tells of.
    pub order: Option<OrderId>,
    /// How far it has come.
    pub state: DeliveryState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is tried next, while pending; when it came to its state, otherwise.
    pub at: Timestamp,
    /// Attempts that count against the schedule.
    pub attempts_used: u32,
    /// Its attempts, oldest first: the newest [`DeliveryRecord::HISTORY`].
    pub attempts: Vec<AttemptRecord>,
    /// What its provider reported, oldest first.
    pub receipts: Vec<ReceiptRecord>,
    /// The delivery that was not made in time, for which this one is made too.
    pub escalated_from: Option<DeliveryId>,
    /// When it should have escalated, and the other subscription was not confirmed, or no more.
    pub not_escalated_at: Option<Timestamp>,
    /// What a notice says.
    pub notice: Option<Notice>,
    /// What people did to it, oldest first.
    pub interventions: Vec<InterventionRecord>,
    /// Why it was cancelled, once it is.
    pub cancel_reason: Option<CancelReason>,
    /// The state of the subscription that it goes to.
    pub subscription_state: SubscriptionState,
    /// Why its channel is paused, in words, while it is.
    pub channel_pause: Option<String>,
    /// Something that it takes to make it cannot be read: it waits until that is mended.
    pub quarantined: bool,
    /// Those of its attempts, receipts and interventions that cannot be read.
    pub unreadable: Vec<UnreadableRow>,
}

impl OrderHistory {
    /// The most deliveries in a history.
    pub const DELIVERIES: usize = 100;
    /// The most deliveries that are counted.
    pub const COUNTED: usize = 10_000;
    /// The most pauses in a history.
    pub const PAUSES: usize = 100;
}

impl DeliveryProgress {
    /// The most deliveries that are counted for one page of orders.
    pub const COUNTED: usize = 10_000;
}

impl DeliveryRecord {
    /// The most attempts, receipts and interventions, each, of one record: the newest.
    pub const HISTORY: usize = 100;

    /// What it waits for at the time `now`. `None`: it is due, or held back by its endpoint's
    /// pause or rate, of which nothing is on record; or it is not pending.
    #[must_use]
    pub fn waits_because(&self, now: Timestamp) -> Option<WaitReason> {
        let waiting = Waiting {
            kind: self.kind,
            subscription: self.subscription_state,
            channel_paused: self.channel_pause.is_some(),
            quarantined: self.quarantined,
            at: self.at,
        };
        if self.state == DeliveryState::Pending { waiting.because(now) } else { None }
    }
}

/// Something that a person did to a delivery, and the state that it put an end to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InterventionRecord {
    /// What.
    pub kind: InterventionKind,
    /// When.
    pub at: Timestamp,
    /// In which state the delivery was: pending, held or dead.
    pub state_before: DeliveryState,
    /// Since when it had been in that state; of one that was pending, when it would have been tried next.
    pub since: Timestamp,
}

/// What a person can do to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InterventionKind {
    /// Sent it again.
    Redriven,
    /// Had it tried before its time.
    Retried,
    /// Gave it up.
    Dropped,
    /// Restored the store from a backup, when it was still pending: it is held, since it may have been delivered since.
    Restored,
}

impl InterventionKind {
    /// Everything there is.
    pub const ALL: [Self; 4] = [Self::Redriven, Self::Retried, Self::Dropped, Self::Restored];

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redriven => "redriven",
            Self::Retried => "retried",
            Self::Dropped => "dropped",
            Self::Restored => "restored",
        }
    }
}

/// A provider's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptRecord {
    /// Which attempt it is about.
    pub attempt: u32,
    /// When it came.
    pub at: Timestamp,
    /// How it went.
    pub status: ReceiptStatus,
    /// The provider's own words.
    pub reply: String,
}

/// An attempt on record. Its outcome's words are those of [`domain::attempt`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whether it counts against the schedule.
    pub used: bool,
    /// The receiver's own reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// The number that the other side answered with, such as HTTP's 404 or SMTP's 550; `None` where it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
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
    /// Only those to this subscription.
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
    /// All that are in a state, and fit the rest.
    Many {
        /// Those in this state.
        state: Redrivable,
        /// Of these.
        filter: DeliveryFilter,
    },
}

/// Which deliveries to try at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetrySelection {
    /// This one.
    One(DeliveryId),
    /// All that are pending and may be sent, of these.
    Pending(DeliveryFilter),
}

/// Which deliveries to give up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DropSelection {
    /// This one, which is pending or held.
    One(DeliveryId),
    /// All that are pending, of these, but for confirmation requests: a subscription that waits for its answer would
    /// wait for ever.
    Pending(DeliveryFilter),
    /// All that are held, of these.
    Held(DeliveryFilter),
}

/// Which of the deliveries in a state are meant: those that fit all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only those to this subscription.
    pub subscription: Option<SubscriptionId>,
    /// Only those over this protocol.
    pub protocol: Option<Protocol>,
    /// Only those made at this time or later.
    pub from: Option<Timestamp>,
    /// Only those made before this time.
    pub before: Option<Timestamp>,
}

/// A state from which a delivery can be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redrivable {
    /// It ended without success.
    Dead,
    /// A person decides.
    Held,
}

impl Redrivable {
    /// The delivery's state.
    #[must_use]
    pub fn state(self) -> DeliveryState {
        match self {
            Self::Dead => DeliveryState::Dead,
            Self::Held => DeliveryState::Held,
        }
    }
}
