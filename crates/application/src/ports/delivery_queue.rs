//! What the delivery engine reads and writes.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Timestamp;
use domain::attempt::Outcome;
use domain::delivery::{Decision, DeliveryId, DeliveryKind};
use domain::endpoint::Protocol;
use domain::notice::Notice;
use domain::order::Order;
use domain::subscription::{Subscription, SubscriptionId};

use crate::Error;

/// Why nothing is sent over a protocol that has no channel.
pub const NO_CHANNEL: &str = "no channel is configured for it";

/// Deliveries on their way. An adapter MUST keep these promises:
///
/// - When [`begin`](Self::begin) answers, the attempts it names are on disk: after a crash they are
///   [`interrupted`](Self::interrupted) until they are finished.
/// - [`finish`](Self::finish) writes an outcome and all that follows from it in one commit, and is harmless when
///   repeated.
#[async_trait]
pub trait DeliveryQueue: Send + Sync {
    /// Pending deliveries whose time has come, longest due first within a subscription; those of suspended
    /// subscriptions wait. No subscription's backlog, however long, hides another's: where the limit cuts, those
    /// subscriptions come first whose first delivery has been due longest. Those that wait for later cost nothing.
    async fn due(&self, query: DueQuery) -> Result<Due, Error>;

    /// Records attempts before they are made. Answers those it recorded; the others are no longer pending, or their
    /// number does not follow the attempts made so far, which says that the caller's view is stale.
    async fn begin(&self, intents: Vec<Intent>) -> Result<Vec<DeliveryId>, Error>;

    /// Records what came of attempts. A delivery to be tried again whose subscription ended meanwhile is cancelled. A
    /// subscription whose endpoint has failed too much by then ([`domain::failure_streak`]) is suspended. An endpoint that is
    /// to be left alone is, until then, also by later processes
    /// ([`Consequence::PauseEndpoint`](domain::delivery::Consequence)). The first success after failures ends that, and
    /// what failed meanwhile and waits for later is due at once: a part of it by this commit, the rest soon after.
    /// Answers those that it suspended.
    async fn finish(&self, finished: Vec<Finished>) -> Result<Vec<SubscriptionId>, Error>;

    /// Attempts without an outcome: the process that made them died. One whose delivery cannot be read is not among them:
    /// it has ended, as unknown, and its delivery waits to be mended.
    async fn interrupted(&self) -> Result<Vec<Interrupted>, Error>;

    /// Makes deliveries of what was not delivered in time to the subscriptions that it escalates to, as of `now`.
    async fn escalate(&self, now: Timestamp) -> Result<Escalated, Error>;

    /// Makes the notices, as of `now`, to the operators who receive them, of what happened: subscriptions that were
    /// suspended or that their receivers ended, dead deliveries (but notices), orders that matched nobody, rows that
    /// cannot be read, a full disk, a channel that has been paused for five minutes, and its end. What happens within a
    /// minute is gathered, there is one notice of a kind in fifteen minutes, and it goes over another protocol than the
    /// one it is about, where there is one. What happened while nobody received notices is told to nobody later; a
    /// pause that lasts is. Answers how many notices were made.
    async fn notify_operators(&self, now: Timestamp) -> Result<usize, Error>;

    /// Lets no pending delivery be due, nor any endpoint be left alone, later than `now` and the [longest
    /// delay](domain::retry::MAX_DELAY), and none escalate later than `now` and the [longest
    /// time](domain::attributes::Minutes::LONGEST) until one does: what lies further ahead was put there by a clock
    /// that was wrong, and is put at that limit. Answers how many there were.
    async fn bound_due_times(&self, now: Timestamp) -> Result<usize, Error>;

    /// Records that a channel is paused, for the timelines of the deliveries that wait.
    async fn channel_paused(&self, protocol: Protocol, reason: &str, now: Timestamp) -> Result<(), Error>;

    /// Records that a channel works again.
    async fn channel_resumed(&self, protocol: Protocol, now: Timestamp) -> Result<(), Error>;

    /// Records, as a pause for the reason [`NO_CHANNEL`], that a protocol has no channel, if a subscription over it has
    /// not ended; a pause for another reason is over. Answers how many such subscriptions there are.
    async fn channel_missing(&self, protocol: Protocol, now: Timestamp) -> Result<usize, Error>;
}

/// What became of the deliveries that were not made in time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Escalated {
    /// How many deliveries to other subscriptions were made.
    pub deliveries: usize,
    /// Those that are not, and to whom they should be: a subscription that is not confirmed, or no more.
    pub not_escalated: Vec<(DeliveryId, SubscriptionId)>,
    /// When the next delivery's time is over.
    pub next_at: Option<Timestamp>,
}

/// Which due deliveries are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueQuery {
    /// Those due by this time.
    pub now: Timestamp,
    /// At most so many of one subscription.
    pub per_endpoint: usize,
    /// At most so many in all.
    pub limit: usize,
    /// None of these: who asks has them already.
    pub skip_deliveries: Vec<DeliveryId>,
    /// None of these subscriptions.
    pub skip_endpoints: Vec<SubscriptionId>,
    /// None over these protocols.
    pub skip_protocols: Vec<Protocol>,
}

/// What is due.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Due {
    /// The deliveries.
    pub deliveries: Vec<DueDelivery>,
    /// When the next delivery that is not yet due will be, of those that were not skipped.
    pub next_at: Option<Timestamp>,
}

/// A delivery whose time has come, with all that it takes to make it.
#[derive(Debug, Clone, PartialEq)]
pub struct DueDelivery {
    /// Names it.
    pub id: DeliveryId,
    /// What it carries.
    pub kind: DeliveryKind,
    /// The subscription that it goes to.
    pub subscription: Arc<Subscription>,
    /// The order it tells of, if it is a notification.
    pub order: Option<Arc<Order>>,
    /// What it says, if it is a notice.
    pub notice: Option<Notice>,
    /// Attempts made so far.
    pub attempts: u32,
    /// Attempts that count against the schedule.
    pub attempts_used: u32,
    /// When it was due.
    pub due_at: Timestamp,
}

/// An attempt about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// Which attempt, from 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
}

/// An attempt that ended, and what was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// Which attempt.
    pub number: u32,
    /// When it ended.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// What follows.
    pub decision: Decision,
    /// The receiver answered the challenge: its subscription is confirmed by this.
    pub confirmed: bool,
    /// It says nothing of its endpoint: our own end cut it short, or nobody hears from the provider.
    pub blameless: bool,
}

/// An attempt that the death of its process cut short.
#[derive(Debug, Clone, PartialEq)]
pub struct Interrupted {
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// Which attempt.
    pub number: u32,
    /// Over which protocol.
    pub protocol: Protocol,
    /// Until when the delivery makes sense: a confirmation's link expires.
    pub deadline: Option<Timestamp>,
    /// Attempts that count against the schedule.
    pub attempts_used: u32,
}
