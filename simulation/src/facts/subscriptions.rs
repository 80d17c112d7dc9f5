//! Subscriptions: nobody is told who did not say yes, and an end is for good.

use anyhow::{Context, Result, ensure};
use domain::attributes::SubscribedTo;
use domain::endpoint::Protocol;
use domain::subscription::{SubscriptionId, SubscriptionState};
use oracle::subscriptions::{self, State};

use super::suspensions::Failures;
use super::{Facts, kept};

/// A subscription as it stands.
pub(crate) struct SubscriptionTruth {
    pub(crate) id: SubscriptionId,
    pub(crate) protocol: Protocol,
    /// It is sent one message a second at most.
    pub(crate) slow: bool,
    pub(crate) receives: SubscribedTo,
    pub(crate) state: SubscriptionState,
    pub(crate) policy: Option<String>,
    /// Its confirmation proves nothing: it was given in the sandbox.
    pub(crate) in_sandbox: bool,
    /// How many confirmation requests it was made, as it counts them.
    pub(super) generation: u32,
    /// Its endpoint fails.
    pub(super) failures: Option<Failures>,
}

impl SubscriptionTruth {
    /// Its state in the oracle's words.
    pub(super) fn oracle_state(&self) -> State {
        oracle_state(self.state)
    }

    /// Whether an order in that currency is owed to it. All policies of the simulation name currencies.
    pub(super) fn wants(&self, currency: &str) -> bool {
        self.receives.orders()
            && matches!(self.state, SubscriptionState::Confirmed | SubscriptionState::Suspended)
            && self.policy.as_ref().is_none_or(|policy| policy.contains(currency))
    }
}

impl Facts {
    pub(super) fn subscribed(
        &mut self,
        seq: i64,
        id: SubscriptionId,
        (protocol, slow): (Protocol, bool),
        receives: SubscribedTo,
        (state, policy): (SubscriptionState, Option<String>),
    ) -> Result<()> {
        ensure!(state == SubscriptionState::Pending, "subscription {seq} began as {state}");
        let truth = SubscriptionTruth {
            id,
            protocol,
            slow,
            receives,
            state,
            policy,
            in_sandbox: false,
            generation: 1,
            failures: None,
        };
        self.subscriptions.insert(seq, truth);
        Ok(())
    }

    pub(super) fn subscription_moved(
        &mut self,
        seq: i64,
        was: SubscriptionState,
        state: SubscriptionState,
        (in_sandbox, generation): (bool, u32),
        policy: Option<String>,
    ) -> Result<()> {
        let subscription = self.subscriptions.get_mut(&seq).context("a subscription came from nowhere")?;
        ensure!(
            was == subscription.state,
            "subscription {seq} was {was}, and before that {}",
            subscription.state
        );
        if was == SubscriptionState::Pending && state == SubscriptionState::Confirmed {
            let outside = self.consents.get(&subscription.id).copied();
            kept(subscriptions::confirmed(outside, in_sandbox), || format!("subscription {seq}"))?;
        }
        if was != SubscriptionState::Pending && state == SubscriptionState::Pending {
            self.consents.remove(&subscription.id);
        }
        if was == SubscriptionState::Suspended {
            subscription.failures = None;
        }
        subscription.state = state;
        subscription.policy = policy;
        subscription.in_sandbox = in_sandbox;
        subscription.generation = generation;
        Ok(())
    }

    /// The endpoint's owner says yes: outside the sandbox (`proven`), or to what only the sandbox holds.
    pub(crate) fn consented(&mut self, subscription: SubscriptionId, proven: bool) {
        *self.consents.entry(subscription).or_default() |= proven;
    }

    /// Someone was told that the subscription is confirmed, or over.
    pub(crate) fn told_state(&self, id: SubscriptionId, told: SubscriptionState) -> Result<()> {
        let found = self.subscriptions.values().find(|subscription| subscription.id == id);
        let found = found.map(SubscriptionTruth::oracle_state);
        kept(subscriptions::stays(oracle_state(told), found, true), || id.to_string())
    }
}

fn oracle_state(state: SubscriptionState) -> State {
    match state {
        SubscriptionState::Pending => State::Pending,
        SubscriptionState::Confirmed => State::Confirmed,
        SubscriptionState::Suspended => State::Suspended,
        SubscriptionState::Ended => State::Ended,
    }
}
