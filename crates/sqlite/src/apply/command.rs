//! Everything that changes the store.

use application::ports::{DeliveryFilter, Finished, InboxMessage, Intent, NewSubscription, Redrivable};
use domain::Timestamp;
use domain::attributes::AttributesChange;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use domain::receipt::Receipt;
use domain::subscription::{EndReason, SubscriptionId, SuspensionReason};
use domain::webhook_secret::WebhookSecret;

use super::accept::{Accept, accept};
use super::attempts::begin;
use super::bound_due_times::bound_due_times;
use super::channel_pauses::{miss as miss_channel, pause as pause_channel, resume as resume_channel};
use super::confirm::{confirm, lapse, resend};
use super::drop_deliveries::{drop_held, drop_one, drop_pending};
use super::escalate::escalate;
use super::finish::finish;
use super::inbox::keep;
use super::pending::Place;
use super::publish::{Publish, publish};
use super::redrive::{AT_ONCE, redrive, redrive_many};
use super::retry::{retry, retry_pending};
use super::rotate_secret::rotate_secret;
use super::send_test::send_test;
use super::subscribe::{change_attributes, subscribe, unsubscribe};
use super::suspend::{resume, suspend};
use super::{Answer, Effects, State, receipt};
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
    ChangeAttributes { id: SubscriptionId, change: Box<AttributesChange> },
    /// Owes another confirmation.
    ResendConfirmation { id: SubscriptionId, delivery: DeliveryId, now: Timestamp },
    /// Confirms a subscription.
    Confirm { id: SubscriptionId, generation: u32, in_sandbox: bool, now: Timestamp },
    /// Takes back what only the sandbox confirmed or saw; each with the id of its new confirmation.
    LapseSandbox { renewals: Vec<(SubscriptionId, DeliveryId)>, now: Timestamp },
    /// Ends a subscription.
    Unsubscribe { id: SubscriptionId, reason: EndReason, now: Timestamp },
    /// Lets a subscription's deliveries wait.
    Suspend { id: SubscriptionId, reason: SuspensionReason, now: Timestamp },
    /// Sends to a suspended subscription again.
    Resume { id: SubscriptionId },
    /// Gives a webhook a new secret.
    RotateSecret { id: SubscriptionId, next: WebhookSecret, now: Timestamp },
    /// Owes a test.
    SendTest { id: SubscriptionId, delivery: DeliveryId, now: Timestamp },
    /// Records attempts before they are made.
    Begin(Vec<Intent>),
    /// Records what came of attempts.
    Finish(Vec<Finished>),
    /// Owes what was not delivered in time to others.
    Escalate { now: Timestamp },
    /// Records what a provider reports.
    Receipt { id: DeliveryId, attempt: u32, receipt: Receipt, now: Timestamp },
    /// Records that a channel is paused.
    PauseChannel { protocol: Protocol, reason: String, now: Timestamp },
    /// Records that a channel works again.
    ResumeChannel { protocol: Protocol, now: Timestamp },
    /// Records that a protocol has no channel.
    MissChannel { protocol: Protocol, now: Timestamp },
    /// Sends one dead or held delivery again.
    Redrive { id: DeliveryId, now: Timestamp },
    /// Sends the next of the dead or held deliveries after a place again.
    RedriveMany { state: Redrivable, filter: Box<DeliveryFilter>, after: i64, now: Timestamp },
    /// Has one pending delivery tried at once.
    Retry { id: DeliveryId, now: Timestamp },
    /// Has the next of the pending deliveries after a place tried at once.
    RetryPending { filter: Box<DeliveryFilter>, after: Place, now: Timestamp },
    /// Cancels one pending or held delivery.
    Drop { id: DeliveryId, now: Timestamp },
    /// Cancels the next of the pending deliveries after a place.
    DropPending { filter: Box<DeliveryFilter>, after: Place, now: Timestamp },
    /// Cancels the next of the held deliveries after a place.
    DropHeld { filter: Box<DeliveryFilter>, after: i64, now: Timestamp },
    /// Brings back the next of what is due too far ahead.
    BoundDueTimes { now: Timestamp },
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
            Self::RedriveMany { .. }
            | Self::RetryPending { .. }
            | Self::DropPending { .. }
            | Self::DropHeld { .. }
            | Self::BoundDueTimes { .. }
            | Self::Escalate { .. } => AT_ONCE,
            _ => 1,
        }
    }

    /// Applies it within the open transaction.
    pub(super) fn apply(self, state: &mut State, effects: &mut Effects) -> Result<Answer, Failure> {
        let connection = &state.connection;
        let hurries = matches!(self, Self::Resume { .. } | Self::Retry { .. } | Self::RetryPending { .. });
        let answer = match self {
            Self::Accept(order) => return accept(state, effects, &order),
            Self::Publish(orders) => publish(connection, &orders),
            Self::Subscribe(new) => subscribe(connection, &new),
            Self::ChangeAttributes { id, change } => change_attributes(connection, id, *change),
            Self::ResendConfirmation { id, delivery, now } => resend(connection, id, delivery, now),
            Self::Confirm { id, generation, in_sandbox, now } => {
                confirm(connection, id, generation, in_sandbox, now)
            }
            Self::LapseSandbox { renewals, now } => lapse(connection, &renewals, now),
            Self::Unsubscribe { id, reason, now } => unsubscribe(connection, id, reason, now),
            Self::Suspend { id, reason, now } => suspend(connection, id, reason, now),
            Self::Resume { id } => resume(connection, id),
            Self::RotateSecret { id, next, now } => rotate_secret(connection, id, next, now),
            Self::SendTest { id, delivery, now } => send_test(connection, id, delivery, now),
            Self::Escalate { now } => escalate(connection, now),
            Self::Receipt { id, attempt, receipt, now } => {
                return receipt::record(connection, id, attempt, &receipt, now);
            }
            // These two make nothing due that the engine, who asks for them, does not know of.
            Self::Begin(intents) => return begin(connection, &intents),
            Self::Finish(finished) => return finish(connection, &finished),
            Self::PauseChannel { protocol, reason, now } => {
                return pause_channel(connection, protocol, &reason, now);
            }
            Self::MissChannel { protocol, now } => return miss_channel(connection, protocol, now),
            Self::ResumeChannel { protocol, now } => resume_channel(connection, protocol, now),
            Self::Redrive { id, now } => redrive(connection, id, now),
            Self::RedriveMany { state, filter, after, now } => {
                redrive_many(connection, (state, &filter), after, now)
            }
            Self::Retry { id, now } => retry(connection, id, now),
            Self::RetryPending { filter, after, now } => retry_pending(connection, &filter, after, now),
            Self::Drop { id, now } => return drop_one(connection, id, now),
            Self::DropPending { filter, after, now } => return drop_pending(connection, &filter, after, now),
            Self::DropHeld { filter, after, now } => return drop_held(connection, &filter, after, now),
            Self::BoundDueTimes { now } => bound_due_times(connection, now),
            Self::Keep(message) => return keep(connection, &message),
        }?;
        effects.deliveries |= answer.may_make_due();
        effects.hurried |= hurries;
        Ok(answer)
    }
}
