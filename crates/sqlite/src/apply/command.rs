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
use super::call_forward::{Recovery, call_forward};
use super::cancel_rest::cancel_rest;
use super::channel_pauses::{miss as miss_channel, pause as pause_channel, resume as resume_channel};
use super::confirm::{confirm, lapse, resend};
use super::drop_deliveries::{drop_held, drop_one, drop_pending};
use super::escalate::escalate;
use super::finish::finish;
use super::hold_owed::hold_owed;
use super::inbox::keep;
use super::pending::Place;
use super::publish::{Publish, publish};
use super::redrive::{AT_ONCE, redrive, redrive_many};
use super::release::{Mended, release};
use super::retry::{retry, retry_pending};
use super::rotate_secret::rotate_secret;
use super::send_test::send_test;
use super::set_aside::{give_back, set_aside};
use super::spam::SpamCommand;
use super::subscribe::{change_attributes, subscribe, unsubscribe};
use super::suspend::{resume, suspend};
use super::tell_operators::tell_operators;
use super::{Answer, Effects, State, probe, receipt};
use crate::columns::micros;
use crate::failure::Failure;
use crate::unreadable::Unreadable;

/// A change, with all that it takes: times and ids are the caller's.
#[derive(Debug)]
pub(crate) enum Command {
    /// Stores an order.
    Accept(Accept),
    /// Takes up some space on the disk.
    FillProbe,
    /// Gives that up again.
    ClearProbe,
    /// Moves some idempotency keys to where they are found on disk, and clears some away that are over.
    MaintainKeys { now: Timestamp },
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
    /// Takes back what only the sandbox confirmed or saw; each subscription, by its `seq`, with the id of its new
    /// confirmation.
    LapseSandbox { lapsing: Vec<i64>, now: Timestamp },
    /// Ends a subscription.
    Unsubscribe { id: SubscriptionId, reason: EndReason, now: Timestamp },
    /// Lets a subscription's deliveries wait.
    Suspend { id: SubscriptionId, reason: SuspensionReason, now: Timestamp },
    /// Sends to a suspended subscription again.
    Resume { id: SubscriptionId, now: Timestamp },
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
    /// Owes operators notices of what happened.
    TellOperators { now: Timestamp },
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
    /// Holds everything that is owed.
    HoldOwed { now: Timestamp },
    /// Cancels more of what waits for a subscription that ended.
    CancelRest { subscription: i64 },
    /// Calls more of what waits for an endpoint forward.
    CallForward(Recovery),
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
    /// Brings back the next of what is due too far ahead, behind a subscription.
    BoundDueTimes { after: i64, now: Timestamp },
    /// Changes which orders are spam, or does what follows.
    Spam(SpamCommand),
    /// Keeps a message in the inbox.
    Keep(Box<InboxMessage>),
    /// Sets aside rows that cannot be read.
    SetAside { rows: Vec<Unreadable>, now: Timestamp },
    /// Ends what the last process left open at deliveries that nobody can decide about, each by its `seq` and with what
    /// hides it.
    GiveBack { deliveries: Vec<(i64, Unreadable)>, now: Timestamp },
    /// Makes due what the next deliveries after a place waited for in a row that can be read again.
    Release { mended: Mended, after: i64, now: Timestamp },
}

impl Command {
    /// About how many rows it touches: a batch takes on a bounded number of them.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Publish(publish) => publish.deliveries.len().max(1),
            Self::Begin(intents) => intents.len().max(1),
            Self::Finish(finished) => finished.len().max(1),
            Self::RedriveMany { .. }
            | Self::Escalate { .. }
            | Self::CancelRest { .. }
            | Self::Spam(_)
            | Self::CallForward(_)
            | Self::TellOperators { .. }
            | Self::MaintainKeys { .. }
            | Self::Release { .. }
            | Self::RetryPending { .. }
            | Self::DropPending { .. }
            | Self::DropHeld { .. }
            | Self::BoundDueTimes { .. } => AT_ONCE,
            Self::SetAside { rows, .. } => rows.len().max(1),
            Self::GiveBack { deliveries, .. } => deliveries.len().max(1),
            _ => 1,
        }
    }

    /// What the store asks of itself: nobody asks again should its commit fail.
    pub(crate) fn unasked(&self) -> Option<Self> {
        match self {
            Self::CancelRest { subscription } => Some(Self::CancelRest { subscription: *subscription }),
            Self::CallForward(recovery) => Some(Self::CallForward(*recovery)),
            Self::Spam(command) => command.unasked().map(Self::Spam),
            _ => None,
        }
    }

    /// Applies it within the open transaction.
    pub(super) fn apply(self, state: &mut State, effects: &mut Effects) -> Result<Answer, Failure> {
        let connection = &state.connection;
        let hurries = matches!(self, Self::Resume { .. } | Self::Retry { .. } | Self::RetryPending { .. });
        let answer = match self {
            Self::Accept(order) => return accept(state, effects, &order),
            Self::TellOperators { now } => tell_operators(state, now),
            Self::FillProbe => return probe::fill(connection),
            Self::ClearProbe => return probe::clear(connection),
            Self::MaintainKeys { now } => {
                state.keys.maintain(connection, micros(now), AT_ONCE)?;
                return Ok(Answer::Done);
            }
            Self::Publish(orders) => publish(connection, &orders),
            Self::Subscribe(new) => subscribe(connection, &new),
            Self::ChangeAttributes { id, change } => change_attributes(connection, id, *change),
            Self::ResendConfirmation { id, delivery, now } => resend(connection, id, delivery, now),
            Self::Confirm { id, generation, in_sandbox, now } => {
                confirm(connection, id, generation, in_sandbox, now)
            }
            Self::LapseSandbox { lapsing, now } => lapse(connection, &lapsing, now),
            Self::Unsubscribe { id, reason, now } => unsubscribe(connection, effects, id, reason, now),
            Self::Suspend { id, reason, now } => suspend(connection, id, reason, now),
            Self::Resume { id, now } => resume(connection, effects, id, now),
            Self::RotateSecret { id, next, now } => rotate_secret(connection, id, next, now),
            Self::SendTest { id, delivery, now } => send_test(connection, id, delivery, now),
            Self::Escalate { now } => escalate(connection, now),
            Self::Receipt { id, attempt, receipt, now } => {
                return receipt::record(connection, effects, (id, attempt), &receipt, now);
            }
            // These two make nothing due that the engine, who asks for them, does not know of.
            Self::Begin(intents) => return begin(connection, &intents),
            Self::Finish(finished) => return finish(connection, effects, &finished),
            Self::PauseChannel { protocol, reason, now } => {
                return pause_channel(connection, protocol, &reason, now);
            }
            Self::MissChannel { protocol, now } => return miss_channel(connection, protocol, now),
            Self::ResumeChannel { protocol, now } => resume_channel(connection, protocol, now),
            Self::Redrive { id, now } => redrive(connection, id, now),
            Self::HoldOwed { now } => return hold_owed(connection, now),
            Self::CancelRest { subscription } => return cancel_rest(connection, effects, subscription),
            Self::CallForward(recovery) => return call_forward(connection, effects, recovery),
            Self::RedriveMany { state, filter, after, now } => {
                redrive_many(connection, (state, &filter), after, now)
            }
            Self::Retry { id, now } => retry(connection, id, now),
            Self::RetryPending { filter, after, now } => retry_pending(connection, &filter, after, now),
            Self::Drop { id, now } => return drop_one(connection, id, now),
            Self::DropPending { filter, after, now } => return drop_pending(connection, &filter, after, now),
            Self::DropHeld { filter, after, now } => return drop_held(connection, &filter, after, now),
            Self::BoundDueTimes { after, now } => bound_due_times(connection, after, now),
            Self::Spam(command) => return command.apply(connection, effects),
            Self::Keep(message) => return keep(connection, &message),
            Self::SetAside { rows, now } => set_aside(connection, &rows, now),
            Self::GiveBack { deliveries, now } => give_back(connection, &deliveries, now),
            Self::Release { mended, after, now } => release(connection, effects, mended, after, now),
        }?;
        effects.deliveries |= answer.may_make_due();
        effects.hurried |= hurries;
        Ok(answer)
    }
}
