//! Everything that changes the store.

use application::ports::{Finished, InboxMessage, Intent, NewSubscription};
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::filter_policy::FilterPolicy;
use domain::subscription::{EndReason, SubscriptionId};

use super::accept::{Accept, accept};
use super::attempts::begin;
use super::channel_pauses::{pause, resume};
use super::confirm::{confirm, lapse, resend};
use super::finish::finish;
use super::inbox::keep;
use super::publish::{Publish, publish};
use super::redrive::{redrive, redrive_dead};
use super::subscribe::{set_filter_policy, subscribe, unsubscribe};
use super::{Answer, Effects, State};
use crate::failure::Failure;

/// A change, with all that it takes: times and ids are the caller's.
#[derive(Debug)]
pub(crate) enum Command {
    /// Stores an order.
    Accept(Accept),
    /// Owes deliveries for orders and moves the relay's cursor past them.
    Publish(Publish),
    /// Makes a subscription.
    Subscribe(Box<NewSubscription>),
    /// Changes what a subscription wants.
    SetFilterPolicy { id: SubscriptionId, policy: Option<FilterPolicy> },
    /// Owes another confirmation.
    ResendConfirmation { id: SubscriptionId, delivery: DeliveryId, now: Timestamp },
    /// Confirms a subscription.
    Confirm { id: SubscriptionId, generation: u32, in_sandbox: bool, now: Timestamp },
    /// Takes back what only the sandbox confirmed or saw; each with the id of its new confirmation.
    LapseSandbox { renewals: Vec<(SubscriptionId, DeliveryId)>, now: Timestamp },
    /// Ends a subscription.
    Unsubscribe { id: SubscriptionId, reason: EndReason, now: Timestamp },
    /// Records attempts before they are made.
    Begin(Vec<Intent>),
    /// Records what came of attempts.
    Finish(Vec<Finished>),
    /// Records that a channel is paused.
    PauseChannel { protocol: Protocol, reason: String, now: Timestamp },
    /// Records that a channel works again.
    ResumeChannel { protocol: Protocol, now: Timestamp },
    /// Sends one dead or held delivery again.
    Redrive { id: DeliveryId, now: Timestamp },
    /// Sends the next dead deliveries after a place again, at most so many.
    RedriveDead { subscription: Option<SubscriptionId>, after: i64, limit: usize, now: Timestamp },
    /// Keeps a message in the inbox.
    Keep(Box<InboxMessage>),
}

impl Command {
    /// About how many rows it touches: a batch takes on a bounded number of them.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Publish(publish) => publish.deliveries.len().max(1),
            Self::Begin(intents) => intents.len().max(1),
            Self::Finish(finished) => finished.len().max(1),
            Self::RedriveDead { limit, .. } => *limit,
            _ => 1,
        }
    }

    /// Applies it within the open transaction.
    pub(super) fn apply(self, state: &mut State, effects: &mut Effects) -> Result<Answer, Failure> {
        let connection = &state.connection;
        let answer = match self {
            Self::Accept(order) => return accept(state, effects, &order),
            Self::Publish(orders) => publish(connection, &orders),
            Self::Subscribe(new) => subscribe(connection, &new),
            Self::SetFilterPolicy { id, policy } => set_filter_policy(connection, id, policy.as_ref()),
            Self::ResendConfirmation { id, delivery, now } => resend(connection, id, delivery, now),
            Self::Confirm { id, generation, in_sandbox, now } => {
                confirm(connection, id, generation, in_sandbox, now)
            }
            Self::LapseSandbox { renewals, now } => lapse(connection, &renewals, now),
            Self::Unsubscribe { id, reason, now } => unsubscribe(connection, id, reason, now),
            // These two make nothing due that the engine, who asks for them, does not know of.
            Self::Begin(intents) => return begin(connection, &intents),
            Self::Finish(finished) => return finish(connection, &finished),
            Self::PauseChannel { protocol, reason, now } => return pause(connection, protocol, &reason, now),
            Self::ResumeChannel { protocol, now } => resume(connection, protocol, now),
            Self::Redrive { id, now } => redrive(connection, id, now),
            Self::RedriveDead { subscription, after, limit, now } => {
                redrive_dead(connection, subscription, after, limit, now)
            }
            Self::Keep(message) => return keep(connection, &message),
        }?;
        effects.deliveries |= answer.may_make_due();
        Ok(answer)
    }
}
