//! Deliveries: counted right, in a state that what is on record explains, and moved only by whom they may be.

mod moves;

use std::fmt;

use crate::{Promise, Violation, subscriptions};

pub use moves::{Move, attempted, begun, ends_well, moved, rests, sent_again};

/// The state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum State {
    Pending,
    InFlight,
    Delivered,
    Sandboxed,
    Held,
    Dead,
    Cancelled,
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It tells of an order.
    Notification,
    /// It asks whether its endpoint's owner wants to be told.
    Confirmation,
    /// Anything else: a notice, a test.
    Other,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The receiver, or its provider, took the message.
    Delivered,
    /// The sandbox keeps it.
    Sandboxed,
    /// It was not taken: not now, never, or not so fast.
    Refused,
    /// Nobody knows whether it was taken.
    Unknown,
}

/// How a provider says that a message went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Status {
    Delivered,
    Failed,
}

/// Why a delivery was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CancelReason {
    /// A person dropped it.
    Dropped,
    /// A person called its order spam.
    Spam,
    /// Its subscription ended.
    SubscriptionEnded,
    /// Its confirmation request was answered, or another one was made.
    Superseded,
}

/// An attempt on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// What came of it; `None` while it is open.
    pub outcome: Option<Outcome>,
    /// It counts against the schedule of attempts.
    pub used: bool,
}

/// A provider's receipt on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The number of the attempt that it is about.
    pub attempt: u32,
    /// What it says.
    pub status: Status,
}

/// What people did to a delivery, as far as it is on record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByPeople {
    /// Somebody dropped it.
    pub dropped: bool,
    /// Somebody called its order spam, be it taken back since.
    pub spam: bool,
    /// It was held when a backup was restored.
    pub held: bool,
}

/// A delivery as the store holds it.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// What it is for.
    pub kind: Kind,
    /// It is about an order.
    pub of_order: bool,
    /// Its state.
    pub state: State,
    /// How many attempts it counts itself.
    pub attempts: u32,
    /// How many of them it counts as used; redriving begins anew.
    pub attempts_used: u32,
    /// Why it was cancelled, if it says so.
    pub cancel_reason: Option<CancelReason>,
    /// The attempts on record, by number.
    pub recorded: &'a [Attempt],
    /// The receipts on record, in the order in which they came; `None` where nobody knows what they say.
    pub receipts: Option<&'a [Receipt]>,
    /// What people did.
    pub by_people: ByPeople,
    /// The state of its subscription; `None` where that is not there.
    pub subscription: Option<subscriptions::State>,
}

impl State {
    /// Every state there is.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::InFlight,
        Self::Delivered,
        Self::Sandboxed,
        Self::Held,
        Self::Dead,
        Self::Cancelled,
    ];

    /// Its name in a store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InFlight => "in_flight",
            Self::Delivered => "delivered",
            Self::Sandboxed => "sandboxed",
            Self::Held => "held",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Status {
    /// Every status there is.
    pub const ALL: [Self; 2] = [Self::Delivered, Self::Failed];

    /// Its name in a store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl CancelReason {
    /// Every reason there is.
    pub const ALL: [Self; 4] = [Self::Dropped, Self::Spam, Self::SubscriptionEnded, Self::Superseded];

    /// Its name in a store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Spam => "spam",
            Self::SubscriptionEnded => "subscription_ended",
            Self::Superseded => "superseded",
        }
    }
}

impl Outcome {
    /// The names of outcomes in a store.
    pub const NAMES: [&'static str; 6] =
        ["delivered", "sandboxed", "transient", "permanent", "throttled", "unknown"];

    /// What an outcome's name in a store says; `None` of an unknown name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "delivered" => Self::Delivered,
            "sandboxed" => Self::Sandboxed,
            "transient" | "permanent" | "throttled" => Self::Refused,
            "unknown" => Self::Unknown,
            _ => return None,
        })
    }
}

/// Holds a delivery against what is on record of it.
#[must_use]
pub fn judge(delivery: &Delivery<'_>) -> Vec<Violation> {
    let found = [
        counted(delivery),
        open(delivery),
        explained(delivery).or_else(|| settled(delivery)),
        about_an_order(delivery),
        cancelled(delivery),
    ];
    found.into_iter().flatten().collect()
}

fn counted(delivery: &Delivery<'_>) -> Option<Violation> {
    let recorded = delivery.recorded;
    let wrong = if recorded.iter().zip(1..).any(|(attempt, number)| attempt.number != number) {
        let numbers: Vec<_> = recorded.iter().map(|attempt| attempt.number.to_string()).collect();
        format!("its attempts are numbered {}", numbers.join(", "))
    } else if usize::try_from(delivery.attempts) != Ok(recorded.len()) {
        format!("it counts {} attempts, {} are on record", delivery.attempts, recorded.len())
    } else {
        let used = recorded.iter().filter(|attempt| attempt.used).count();
        if usize::try_from(delivery.attempts_used).is_ok_and(|counted| counted <= used) {
            return None;
        }
        format!("it counts {} attempts used, {used} are on record", delivery.attempts_used)
    };
    Some(Promise::AttemptsOnRecord.broken(wrong))
}

fn open(delivery: &Delivery<'_>) -> Option<Violation> {
    let open = delivery.recorded.iter().filter(|attempt| attempt.outcome.is_none()).count();
    let last_is_open = delivery.recorded.last().is_some_and(|attempt| attempt.outcome.is_none());
    let wrong = match delivery.state {
        State::InFlight if open == 1 && last_is_open => return None,
        State::InFlight if open == 0 => "it is in flight without an open attempt".to_owned(),
        _ if open == 0 => return None,
        state => format!("it is {state} with {open} open attempts"),
    };
    Some(Promise::InFlightIsOpen.broken(wrong))
}

/// Something on record led to the state. Who may cancel is judged by itself.
fn explained(delivery: &Delivery<'_>) -> Option<Violation> {
    let last = match delivery.recorded.last() {
        Some(Attempt { outcome: None, .. }) => return None,
        Some(Attempt { outcome, .. }) => *outcome,
        None => None,
    };
    let receipts = delivery.receipts?;
    let arrived = receipts.iter().any(|receipt| receipt.status == Status::Delivered);
    let failed = Receipt { attempt: delivery.attempts, status: Status::Failed };
    let not_taken = matches!(last, Some(Outcome::Refused | Outcome::Unknown));
    let bounced = last == Some(Outcome::Delivered) && receipts.contains(&failed);
    let explained = match delivery.state {
        State::InFlight | State::Cancelled => true,
        State::Pending => last.is_none() || not_taken || bounced,
        State::Delivered => last == Some(Outcome::Delivered) || arrived,
        State::Sandboxed => last == Some(Outcome::Sandboxed),
        State::Held => last == Some(Outcome::Unknown) || delivery.by_people.held,
        State::Dead => not_taken || bounced,
    };
    let came = match last {
        None => "none was made",
        Some(Outcome::Delivered) => "the last came to delivered",
        Some(Outcome::Sandboxed) => "the last came to sandboxed",
        Some(Outcome::Refused) => "the last was not taken",
        Some(Outcome::Unknown) => "the last came to unknown",
    };
    (!explained).then(|| {
        let state = delivery.state;
        Promise::StateExplained.broken(format!("it is {state}, which no attempt explains: {came}"))
    })
}

/// The last that a provider said of an attempt counts: what it delivered is delivered, whatever was decided since, and what
/// it failed to deliver is not, unless another attempt was.
fn settled(delivery: &Delivery<'_>) -> Option<Violation> {
    let receipts = delivery.receipts?;
    let last_of = |attempt: u32| {
        let mut of_it = receipts.iter().filter(|receipt| receipt.attempt == attempt);
        of_it.next_back().map(|receipt| receipt.status)
    };
    let arrived = receipts.iter().any(|receipt| last_of(receipt.attempt) == Some(Status::Delivered));
    let failed = last_of(delivery.attempts) == Some(Status::Failed);
    let (said, fits) = match delivery.state {
        State::InFlight => return None,
        state if arrived => ("delivered", state == State::Delivered),
        State::Held => ("failed", !failed || delivery.by_people.held),
        State::Delivered => ("failed", !failed),
        _ => return None,
    };
    (!fits).then(|| {
        let state = delivery.state;
        Promise::StateExplained.broken(format!("its provider reported it {said}, and it is {state}"))
    })
}

fn about_an_order(delivery: &Delivery<'_>) -> Option<Violation> {
    let wrong = match (delivery.kind == Kind::Notification, delivery.of_order) {
        (true, false) => "it is a notification of no order",
        (false, true) => "it is no notification, and about an order",
        _ => return None,
    };
    Some(Promise::StateExplained.broken(wrong))
}

/// Beside people, who drop it or call its order spam, only the end of a subscription cancels; and its answer, or a newer
/// one, a confirmation request.
fn cancelled(delivery: &Delivery<'_>) -> Option<Violation> {
    let ended = delivery.subscription.is_none_or(|state| state == subscriptions::State::Ended);
    let ByPeople { dropped, spam, .. } = delivery.by_people;
    let wrong = match (delivery.state == State::Cancelled, delivery.cancel_reason) {
        (false, Some(_)) => "it has a reason for being cancelled, and is not",
        (true, None) => "it is cancelled, and why is not on record",
        (true, Some(CancelReason::Dropped)) if !dropped => {
            "it was dropped, and that a person did so is not on record"
        }
        (true, Some(CancelReason::Spam)) if !spam => {
            "it is cancelled with an order that is spam, and that a person said so is not on record"
        }
        (true, Some(CancelReason::SubscriptionEnded)) if !ended => {
            "it is cancelled with its subscription, which has not ended"
        }
        (true, Some(CancelReason::Superseded)) if delivery.kind != Kind::Confirmation => {
            "it is cancelled as a confirmation request, and is none"
        }
        (false, None) | (true, Some(_)) => return None,
    };
    Some(Promise::StateExplained.broken(wrong))
}

#[cfg(test)]
mod tests;
