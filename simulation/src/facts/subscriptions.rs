//! Subscriptions: nobody is told who did not say yes, and an end is for good.

use anyhow::{Context, Result, ensure};
use domain::attributes::SubscribedTo;
use domain::endpoint::Protocol;
use domain::subscription::SubscriptionId;
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
    pub(crate) state: State,
    pub(crate) policy: Option<String>,
    /// Its confirmation proves nothing: it was given in the sandbox.
    pub(crate) in_sandbox: bool,
    /// How many confirmation requests it was made, as it counts them.
    pub(super) generation: u32,
    /// Its endpoint fails.
    pub(super) failures: Option<Failures>,
}

impl SubscriptionTruth {
    /// Whether an order in that currency matches it. All policies of the simulation name currencies.
    pub(super) fn wants(&self, currency: &str) -> bool {
        self.receives.orders()
            && matches!(self.state, State::Confirmed | State::Suspended)
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
        (state, policy): (State, Option<String>),
    ) -> Result<()> {
        ensure!(state == State::Pending, "subscription {seq} began as {state}");
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
        was: State,
        state: State,
        (in_sandbox, generation): (bool, u32),
        policy: Option<String>,
    ) -> Result<()> {
        let subscription = self.subscriptions.get_mut(&seq).context("a subscription came from nowhere")?;
        ensure!(
            was == subscription.state,
            "subscription {seq} was {was}, and before that {}",
            subscription.state
        );
        if was == State::Pending && state == State::Confirmed {
            let outside = self.consents.get(&subscription.id).copied();
            kept(subscriptions::confirmed(outside, in_sandbox), || format!("subscription {seq}"))?;
        }
        if was != State::Pending && state == State::Pending {
            self.consents.remove(&subscription.id);
        }
        if was == State::Suspended {
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
    pub(crate) fn told_state(&self, id: SubscriptionId, told: State) -> Result<()> {
        let found = self.subscriptions.values().find(|subscription| subscription.id == id);
        let found = found.map(|subscription| subscription.state);
        kept(subscriptions::stays(told, found, true), || id.to_string())
    }
}
