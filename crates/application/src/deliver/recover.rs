//! At start-up: what became of the attempts that the last process did not live to finish.

use std::collections::BTreeMap;

use domain::attempt::{Outcome, OutcomeKind};
use domain::delivery::{RetryContext, UnknownOutcomePolicy, decide};
use domain::endpoint::Protocol;

use crate::Error;
use crate::ports::{Clock, DeliveryQueue, Finished, Interrupted, Randomness};

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
