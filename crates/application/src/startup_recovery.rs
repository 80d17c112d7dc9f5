//! At start-up, before anything new happens: what the last process left open, and what is no longer as it was.

use std::collections::BTreeMap;

use domain::attempt::{Outcome, OutcomeKind};
use domain::delivery::{RetryContext, UnknownOutcomePolicy, decide};
use domain::endpoint::Protocol;

use crate::ports::{Clock, DeliveryQueue, Finished, Interrupted, Randomness};
use crate::{ChannelMode, Error, LocalDelivery};

/// Settles the attempts and pauses that the last process left open, bounds what a wrong clock put far ahead, takes back
/// confirmations that proved nothing now that a real provider is there, and makes it seen where subscriptions wait for
/// a channel that nobody configured. `policies` say what follows on each channel when a message may have arrived or
/// not.
///
/// # Errors
/// What the store says; nothing may be delivered before this succeeded.
pub async fn startup_recovery(
    own: &LocalDelivery,
    queue: &dyn DeliveryQueue,
    policies: &BTreeMap<Protocol, UnknownOutcomePolicy>,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Result<(), Error> {
    recover(queue, policies, clock, randomness).await?;
    let bounded = queue.bound_due_times(clock.now()).await?;
    if bounded > 0 {
        tracing::warn!(bounded, "deliveries were due further ahead than any schedule lets them wait");
    }
    for protocol in Protocol::ALL {
        match own.channels.get(&protocol) {
            Some(mode) => begin_anew(own, queue, protocol, *mode, clock).await?,
            None => note_missing(queue, protocol, clock).await?,
        }
    }
    Ok(())
}

/// Ends a channel's pause: whether it works is found out anew.
async fn begin_anew(
    own: &LocalDelivery,
    queue: &dyn DeliveryQueue,
    protocol: Protocol,
    mode: ChannelMode,
    clock: &dyn Clock,
) -> Result<(), Error> {
    queue.channel_resumed(protocol, clock.now()).await?;
    if mode == ChannelMode::Live {
        let lapsed = own.subscriptions.lapse_sandbox_confirmations(protocol, clock.now()).await?;
        if lapsed > 0 {
            tracing::warn!(
                %protocol,
                lapsed,
                "confirmations from the sandbox lapsed: these subscriptions are pending, and are sent nothing before \
                 `orderbell subscription resend ID`"
            );
        }
    }
    Ok(())
}

async fn note_missing(queue: &dyn DeliveryQueue, protocol: Protocol, clock: &dyn Clock) -> Result<(), Error> {
    let subscriptions = queue.channel_missing(protocol, clock.now()).await?;
    if subscriptions > 0 {
        tracing::error!(
            %protocol,
            subscriptions,
            "no channel is configured for this protocol: what goes over it waits until there is one"
        );
    }
    Ok(())
}

/// Records every unfinished attempt as `unknown`, and lets its channel's policy say what follows; one whose channel is no
/// longer there is held. Answers how many there were.
///
/// # Errors
/// What the store says; nothing may be delivered before this succeeded.
pub async fn recover(
    queue: &dyn DeliveryQueue,
    policies: &BTreeMap<Protocol, UnknownOutcomePolicy>,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Result<usize, Error> {
    let interrupted = queue.interrupted().await?;
    let on_unknown = |attempt: &Interrupted| {
        policies.get(&attempt.protocol).copied().unwrap_or(UnknownOutcomePolicy::Hold)
    };
    let finished: Vec<_> =
        interrupted.iter().map(|attempt| unknown(attempt, on_unknown(attempt), clock, randomness)).collect();
    let count = finished.len();
    if count > 0 {
        tracing::warn!(
            count,
            "attempts were cut short by the end of the last process; their outcome is unknown"
        );
        queue.finish(finished).await?;
    }
    Ok(count)
}

fn unknown(
    attempt: &Interrupted,
    on_unknown: UnknownOutcomePolicy,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Finished {
    let now = clock.now();
    let Interrupted { protocol, attempts_used, deadline, .. } = *attempt;
    let context = RetryContext { protocol, attempts_used, deadline, on_unknown, failures: 0 };
    let outcome = Outcome::new(OutcomeKind::Unknown, "The program stopped before an answer came");
    let decision = decide(context, &outcome, now, randomness.jitter());
    Finished {
        delivery: attempt.delivery,
        number: attempt.number,
        at: now,
        outcome,
        decision,
        confirmed: false,
        blameless: true,
    }
}
