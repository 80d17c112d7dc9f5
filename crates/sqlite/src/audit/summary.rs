//! What the audit counted.

use domain::Timestamp;
use domain::delivery::DeliveryState;

/// The store in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Orders stored.
    pub orders: u64,
    /// Subscriptions there ever were.
    pub subscriptions: u64,
    /// Notifications that published orders should have.
    pub matched: u64,
    /// Escalations: further notifications of the same orders as others, which were not made in time.
    pub escalated: u64,
    /// Notifications there are, by state. Without exceptions they are as many as matched and escalated.
    pub notifications: ByState,
    /// Messages of other kinds, such as confirmations, by state.
    pub others: ByState,
    /// What waits, and for what.
    pub waiting: Waiting,
    /// Exceptions found.
    pub exceptions: u64,
}

/// How many there are in each state, in the states' own order.
pub type ByState = Vec<(DeliveryState, u64)>;

/// What waits. None of it is an exception; whoever looks decides whether it waits too long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Orders that the relay has before it, since they were accepted.
    pub unpublished: Queue,
    /// Pending deliveries that nothing keeps from being sent, since they fell due.
    pub due: Queue,
    /// Pending deliveries to be tried at a later time. They are waiting since no time.
    pub later: Queue,
    /// Pending deliveries whose channel is paused, since they fell due.
    pub channel_paused: Queue,
    /// Pending deliveries whose subscription is suspended, since they fell due.
    pub suspended: Queue,
    /// Pending deliveries of which something cannot be read, since they fell due.
    pub quarantined: Queue,
    /// Pending deliveries whose subscription must be confirmed again, since they fell due.
    pub unconfirmed: Queue,
}

/// How many wait, and since when the longest does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// How many.
    pub count: u64,
    /// Since when the one that waits longest does.
    pub since: Option<Timestamp>,
}

impl Queue {
    pub(super) fn add(&mut self, since: Option<Timestamp>) {
        self.count += 1;
        self.since = self.since.into_iter().chain(since).min();
    }
}

/// Counts a state.
pub(super) fn count(counts: &mut ByState, state: DeliveryState) {
    if let Some((_, count)) = counts.iter_mut().find(|(of, _)| *of == state) {
        *count += 1;
    }
}

/// Nothing of any state.
pub(super) fn none() -> ByState {
    DeliveryState::ALL.into_iter().map(|state| (state, 0)).collect()
}
