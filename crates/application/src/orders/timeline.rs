//! One order's timeline: from acceptance through whom it matched, and whom it did not, to each attempt.

use domain::Timestamp;
use domain::delivery::{CancelReason, DeliveryState};
use domain::endpoint::Protocol;
use domain::order::{Order, StatusChange};
use domain::subscription::{SkipReason, Subscription, matches};

use crate::ports::{
    AttemptRecord, ChannelPause, DeliveryRecord, InterventionKind, OrderHistory, Page, ReceiptRecord,
    SpamMark, UnmatchedSubscriptions, UnreadableRow,
};

/// An order and all that became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// The order.
    pub order: Order,
    /// Whether it was published; until then it matches nobody.
    pub published: bool,
    /// Since when the order is spam, if it is.
    pub spam_since: Option<Timestamp>,
    /// What a person made of it last.
    pub change: Option<StatusChange>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
    /// Its deliveries, oldest first: the first [`OrderHistory::DELIVERIES`].
    pub deliveries: Vec<DeliveryRecord>,
    /// How many deliveries there are, in each state that has any; counted up to [`OrderHistory::COUNTED`] in all.
    pub counts: Vec<(DeliveryState, usize)>,
    /// The first subscriptions that it does not match, and why.
    pub not_matched: NotMatchedPage,
    /// What else belongs here and cannot be read.
    pub unreadable: Vec<UnreadableRow>,
}

/// Subscriptions that an order does not match, each with the reason, newest first.
pub type NotMatchedPage = Page<(Subscription, SkipReason)>;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// To which delivery, if to one; a place in [`Timeline::deliveries`].
    pub delivery: Option<usize>,
    /// What.
    pub kind: EventKind,
}

/// What can happen to an order.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// It was stored, and its sender was told so.
    Accepted,
    /// A subscription was matched, and a delivery made; it may be [escalated](DeliveryRecord::escalated_from) from
    /// another.
    Matched,
    /// An attempt ended, or is in flight still.
    Attempt(AttemptRecord),
    /// The provider reported what became of the message.
    Receipt(ReceiptRecord),
    /// A channel that the order waited for was paused.
    ChannelPaused {
        /// Which channel.
        protocol: Protocol,
        /// What failed, in words.
        reason: String,
    },
    /// The channel worked again.
    ChannelResumed {
        /// Which channel.
        protocol: Protocol,
    },
    /// A delivery came to its end, or waits for a person.
    Ended(DeliveryState),
    /// It was not delivered in time, and the subscription that it escalates to may not be sent it.
    NotEscalated,
    /// A person sent it again.
    Redriven,
    /// The store was restored from a backup, and what was pending is held.
    Restored,
    /// A person had it tried before its time.
    Retried,
    /// A person said that the order is spam.
    MarkedSpam,
    /// A person took that back.
    UnmarkedSpam,
    /// A person changed the order's status.
    StatusChanged(StatusChange),
    /// A delivery was cancelled.
    Cancelled(Option<CancelReason>),
}

impl Timeline {
    /// The same timeline of an order that a person marked as spam.
    #[must_use]
    pub fn marked(mut self, mark: SpamMark) -> Self {
        let event = |at, kind| Event { at, delivery: None, kind };
        self.events.push(event(mark.marked_at, EventKind::MarkedSpam));
        self.events.extend(mark.unmarked_at.map(|at| event(at, EventKind::UnmarkedSpam)));
        self.events.sort_by_key(|event| event.at);
        Self { spam_since: mark.since(), ..self }
    }

    /// The same timeline of an order whose status people changed, oldest first.
    #[must_use]
    pub fn with_changes(mut self, changes: Vec<StatusChange>) -> Self {
        let event = |change: &StatusChange| Event {
            at: change.at,
            delivery: None,
            kind: EventKind::StatusChanged(change.clone()),
        };
        self.events.extend(changes.iter().map(event));
        self.events.sort_by_key(|event| event.at);
        Self { change: changes.into_iter().next_back(), ..self }
    }
}

/// Makes an order's timeline.
#[must_use]
pub fn timeline(history: OrderHistory) -> Timeline {
    let OrderHistory { unmatched, deliveries, counts, pauses, mut unreadable } = history;
    let (order, published) = (unmatched.order.order.clone(), unmatched.published);
    let accepted = Event { at: order.time, delivery: None, kind: EventKind::Accepted };
    let mut events = vec![accepted];
    for (place, delivery) in deliveries.iter().enumerate() {
        events.extend(delivery_events(place, delivery));
    }
    events.extend(pause_events(&pauses, &deliveries));
    events.sort_by_key(|event| event.at);
    let not_matched = not_matched_of(unmatched);
    unreadable.extend_from_slice(&not_matched.unreadable);
    Timeline {
        order,
        published,
        spam_since: None,
        change: None,
        events,
        deliveries,
        counts,
        not_matched,
        unreadable,
    }
}

fn delivery_events(place: usize, delivery: &DeliveryRecord) -> Vec<Event> {
    let event = |at, kind| Event { at, delivery: Some(place), kind };
    let mut events = vec![event(delivery.created_at, EventKind::Matched)];
    for attempt in &delivery.attempts {
        let at = attempt.ended_at.unwrap_or(attempt.started_at);
        events.push(event(at, EventKind::Attempt(attempt.clone())));
    }
    for receipt in &delivery.receipts {
        events.push(event(receipt.at, EventKind::Receipt(receipt.clone())));
    }
    for intervention in &delivery.interventions {
        // One that was pending had come to no end.
        if intervention.state_before != DeliveryState::Pending {
            events.push(event(intervention.since, EventKind::Ended(intervention.state_before)));
        }
        match intervention.kind {
            InterventionKind::Redriven => events.push(event(intervention.at, EventKind::Redriven)),
            InterventionKind::Retried => events.push(event(intervention.at, EventKind::Retried)),
            InterventionKind::Restored => events.push(event(intervention.at, EventKind::Restored)),
            // Its cancellation says so.
            InterventionKind::Dropped => {}
        }
    }
    events.extend(delivery.not_escalated_at.map(|at| event(at, EventKind::NotEscalated)));
    match delivery.state {
        DeliveryState::Pending | DeliveryState::InFlight => {}
        DeliveryState::Cancelled => {
            events.push(event(delivery.at, EventKind::Cancelled(delivery.cancel_reason)));
        }
        over => events.push(event(delivery.at, EventKind::Ended(over))),
    }
    events
}

/// The pauses that fell into the time in which a delivery over that channel was waiting.
fn pause_events(pauses: &[ChannelPause], deliveries: &[DeliveryRecord]) -> Vec<Event> {
    let touched = |pause: &&ChannelPause| deliveries.iter().any(|delivery| waited_for(delivery, pause));
    let mut events = Vec::new();
    for pause in pauses.iter().filter(touched) {
        let protocol = pause.protocol;
        let event = |at, kind| Event { at, delivery: None, kind };
        events.push(event(pause.from, EventKind::ChannelPaused { protocol, reason: pause.reason.clone() }));
        events.extend(pause.to.map(|to| event(to, EventKind::ChannelResumed { protocol })));
    }
    events
}

fn waited_for(delivery: &DeliveryRecord, pause: &ChannelPause) -> bool {
    let over = !matches!(delivery.state, DeliveryState::Pending | DeliveryState::InFlight);
    delivery.endpoint.protocol() == pause.protocol
        && pause.to.is_none_or(|to| delivery.created_at <= to)
        && (!over || pause.from <= delivery.at)
}

/// Why the order does not match each of them, as of its acceptance.
#[must_use]
pub fn not_matched_of(unmatched: UnmatchedSubscriptions) -> NotMatchedPage {
    let UnmatchedSubscriptions { order, page, .. } = unmatched;
    let reason = |(subscription, version): (Subscription, Option<_>)| {
        matches(&order, version.as_slice()).err().map(|reason| (subscription, reason))
    };
    let items = page.items.into_iter().filter_map(reason).collect();
    Page { items, unreadable: page.unreadable, next: page.next }
}
