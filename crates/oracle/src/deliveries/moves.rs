//! Deliveries as they go from one state to the next.

use super::{Attempt, Kind, Receipt, State, Status};
use crate::{Promise, Violation, subscriptions};

/// One change of a delivery, with what held when it was made.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// What it is for.
    pub kind: Kind,
    /// Its state before.
    pub was: State,
    /// Its state after.
    pub becomes: State,
    /// How many attempts it counts afterwards.
    pub attempts: u32,
    /// The number of the last attempt on record.
    pub last_attempt: u32,
    /// The state of its subscription.
    pub subscription: subscriptions::State,
    /// Its order is spam.
    pub is_spam: bool,
    /// A person gives up what waits.
    pub by_a_person: bool,
}

/// How a delivery comes to be: pending, unless nobody will be sent it.
#[must_use]
pub fn begun(state: State, subscription: subscriptions::State, is_spam: bool) -> Option<Violation> {
    let over = subscription == subscriptions::State::Ended || is_spam;
    let begins = if over { State::Cancelled } else { State::Pending };
    (state != begins).then(|| Promise::StateExplained.broken(format!("it began as {state}")))
}

/// Holds a change against what may follow what, and who may bring it about.
#[must_use]
pub fn moved(step: &Move) -> Vec<Violation> {
    let found = [follows(step), sent(step), held(step), cancelled(step), redriven(step)];
    found.into_iter().flatten().collect()
}

fn follows(step: &Move) -> Option<Violation> {
    let (was, becomes) = (step.was, step.becomes);
    let next: &[State] = match was {
        State::Pending => &[State::InFlight, State::Delivered, State::Cancelled],
        State::InFlight => {
            &[State::Pending, State::Delivered, State::Sandboxed, State::Held, State::Dead, State::Cancelled]
        }
        State::Held => &[State::Pending, State::Delivered, State::Dead, State::Cancelled],
        State::Delivered => &[State::Dead],
        State::Dead => &[State::Pending, State::Delivered],
        State::Cancelled => &[State::Delivered],
        State::Sandboxed => &[],
    };
    let fits = was == becomes || next.contains(&becomes);
    (!fits).then(|| Promise::StateExplained.broken(format!("it went from {was} to {becomes}")))
}

/// Only who may be told is sent anything, and each attempt is the next.
fn sent(step: &Move) -> Option<Violation> {
    if step.was == step.becomes || step.becomes != State::InFlight {
        return None;
    }
    let may_be_told = match step.subscription {
        subscriptions::State::Confirmed => true,
        subscriptions::State::Pending => step.kind == Kind::Confirmation,
        subscriptions::State::Suspended | subscriptions::State::Ended => false,
    };
    if step.attempts != step.last_attempt + 1 {
        let wrong = format!("it skips from attempt {} to attempt {}", step.last_attempt, step.attempts);
        return Some(Promise::AttemptsOnRecord.broken(wrong));
    }
    if step.is_spam {
        return Some(Promise::StateExplained.broken("it begins, and its order is spam"));
    }
    (!may_be_told).then(|| {
        Promise::AskedAndConfirmed
            .broken(format!("it is sent to a subscription that is {}", step.subscription))
    })
}

/// What nobody will send again is not held for a person.
fn held(step: &Move) -> Option<Violation> {
    let held = step.was == State::InFlight && step.becomes == State::Held;
    let over = step.subscription == subscriptions::State::Ended || step.is_spam;
    (held && over).then(|| Promise::StateExplained.broken("it is held, and will never be sent again"))
}

/// Only a person gives up what waits for anyone who has not ended.
fn cancelled(step: &Move) -> Option<Violation> {
    if step.becomes != State::Cancelled || step.was == State::Cancelled {
        return None;
    }
    let waits = matches!(step.was, State::Pending | State::Held);
    let ended = step.subscription == subscriptions::State::Ended;
    let fits = ended || step.is_spam || step.kind == Kind::Confirmation || waits && step.by_a_person;
    (!fits).then(|| {
        let wrong = format!("it is dropped, and its subscription is {}", step.subscription);
        Promise::StateExplained.broken(wrong)
    })
}

/// What nobody will be sent is not redriven.
fn redriven(step: &Move) -> Option<Violation> {
    let redriven = step.was != State::InFlight && step.was != step.becomes && step.becomes == State::Pending;
    let wrong = if !redriven {
        return None;
    } else if step.subscription == subscriptions::State::Ended {
        "it is redriven, and its subscription has ended"
    } else if step.is_spam {
        "it is redriven, and its order is spam"
    } else {
        return None;
    };
    Some(Promise::StateExplained.broken(wrong))
}

/// An attempt begins once the one before has an outcome, and never where a provider delivered the message.
#[must_use]
pub fn attempted(number: u32, recorded: &[Attempt], receipts: &[Receipt]) -> Vec<Violation> {
    let last = recorded.last();
    let skips = number != last.map_or(0, |last| last.number) + 1;
    let is_open = last.is_some_and(|last| last.outcome.is_none());
    let arrived = receipts.last().is_some_and(|receipt| receipt.status == Status::Delivered);
    let found = [
        (skips, Promise::AttemptsOnRecord, "which is not the next"),
        (is_open, Promise::InFlightIsOpen, "before the one before it has an outcome"),
        (arrived, Promise::RepeatExplained, "though its provider delivered it"),
    ];
    let found = found.into_iter().filter(|(is_wrong, ..)| *is_wrong);
    found.map(|(_, promise, wrong)| promise.broken(format!("attempt {number} begins, {wrong}"))).collect()
}

/// Where somebody saw to everything that asked for it, and nothing failed any more, a delivery came to a good end, unless
/// nobody was to be sent it.
#[must_use]
pub fn ends_well(
    kind: Kind,
    state: State,
    subscription: subscriptions::State,
    is_spam: bool,
) -> Option<Violation> {
    let well = matches!(state, State::Delivered | State::Sandboxed | State::Cancelled);
    let nobody = subscription == subscriptions::State::Ended || kind == Kind::Confirmation || is_spam;
    (!well && !nobody)
        .then(|| Promise::MatchedIsDelivered.broken(format!("it is {state} though a person saw to it")))
}

/// Where nothing fails any more, what a person had sent again is delivered.
#[must_use]
pub fn sent_again(state: State) -> Option<Violation> {
    let wrong = || format!("it was sent again, and is {state}");
    (state != State::Delivered).then(|| Promise::MatchedIsDelivered.broken(wrong()))
}

/// Where everything works and nothing is left to do, a delivery waits only for what it must wait for.
#[must_use]
pub fn rests(
    kind: Kind,
    state: State,
    subscription: subscriptions::State,
    is_spam: bool,
) -> Option<Violation> {
    let nobody_to_tell = match subscription {
        subscriptions::State::Suspended => true,
        subscriptions::State::Pending => kind != Kind::Confirmation,
        subscriptions::State::Confirmed | subscriptions::State::Ended => false,
    };
    let rests = match state {
        State::Pending => nobody_to_tell && !is_spam,
        State::Held => !is_spam,
        State::InFlight => false,
        State::Delivered | State::Sandboxed | State::Dead | State::Cancelled => true,
    };
    (!rests).then(|| {
        let wrong = format!("it is {state} for ever, and its subscription is {subscription}");
        Promise::MatchedIsDelivered.broken(wrong)
    })
}
