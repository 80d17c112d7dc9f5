//! Subscriptions: nobody is told who did not say yes, and an end is for good.

use anyhow::{Context, Result, ensure};
use domain::attributes::SubscribedTo;
use domain::endpoint::Protocol;
use domain::subscription::{SubscriptionId, SubscriptionState};

use super::Promises;
use super::suspensions::Failures;

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
    /// Its endpoint fails.
    pub(super) failures: Option<Failures>,
}

impl SubscriptionTruth {
    /// Whether an order in that currency is owed to it. All policies of the simulation name currencies.
    pub(super) fn wants(&self, currency: &str) -> bool {
        self.receives.orders()
            && matches!(self.state, SubscriptionState::Confirmed | SubscriptionState::Suspended)
            && self.policy.as_ref().is_none_or(|policy| policy.contains(currency))
    }
}

impl Promises {
    pub(super) fn subscribed(
        &mut self,
        seq: i64,
        id: SubscriptionId,
        (protocol, slow): (Protocol, bool),
        receives: SubscribedTo,
        (state, policy): (SubscriptionState, Option<String>),
    ) -> Result<()> {
        ensure!(state == SubscriptionState::Pending, "subscription {seq} began as {state}");
        let (in_sandbox, failures) = (false, None);
        let truth = SubscriptionTruth { id, protocol, slow, receives, state, policy, in_sandbox, failures };
        self.subscriptions.insert(seq, truth);
        Ok(())
    }

    pub(super) fn subscription_moved(
        &mut self,
        seq: i64,
        was: SubscriptionState,
        state: SubscriptionState,
        in_sandbox: bool,
        policy: Option<String>,
    ) -> Result<()> {
        let subscription = self.subscriptions.get_mut(&seq).context("a subscription came from nowhere")?;
        ensure!(
            was == subscription.state,
            "subscription {seq} was {was}, and before that {}",
            subscription.state
        );
        if was == SubscriptionState::Pending && state == SubscriptionState::Confirmed {
            let proof = self.consents.get(&subscription.id).copied();
            let proof = proof
                .with_context(|| format!("subscription {seq} was confirmed, and nobody had said yes"))?;
            ensure!(proof || in_sandbox, "subscription {seq} was confirmed by what was said in the sandbox");
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
        Ok(())
    }

    /// The endpoint's owner says yes: outside the sandbox (`proven`), or to what only the sandbox holds.
    pub(crate) fn consented(&mut self, subscription: SubscriptionId, proven: bool) {
        *self.consents.entry(subscription).or_default() |= proven;
    }

    /// Someone was told that the subscription is confirmed, or over.
    pub(crate) fn told_state(&self, id: SubscriptionId, told: SubscriptionState) -> Result<()> {
        let subscription = self.subscriptions.values().find(|subscription| subscription.id == id);
        let state = subscription.context("a subscription that is not there was told of")?.state;
        let over = state == SubscriptionState::Ended;
        ensure!(told != SubscriptionState::Ended || over, "{id} was said to have ended, and is {state}");
        Ok(())
    }
}
