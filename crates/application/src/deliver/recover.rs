//! At start-up: what became of the attempts that the last process did not live to finish.

use domain::attempt::{Outcome, OutcomeKind};
use domain::delivery::decide;

use crate::Error;
use crate::ports::{Clock, DeliveryQueue, Finished, Interrupted, Randomness};

/// Records every unfinished attempt as `unknown`, and lets the channel's policy say what follows. Answers how many
/// there were.
///
/// # Errors
/// What the store says; nothing may be delivered before this succeeded.
pub async fn recover(
    queue: &dyn DeliveryQueue,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Result<usize, Error> {
    let interrupted = queue.interrupted().await?;
    let finished: Vec<_> =
        interrupted.into_iter().map(|attempt| unknown(attempt, clock, randomness)).collect();
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

fn unknown(attempt: Interrupted, clock: &dyn Clock, randomness: &dyn Randomness) -> Finished {
    let now = clock.now();
    let outcome = Outcome::new(OutcomeKind::Unknown, "The program stopped before an answer came");
    let decision = decide(attempt.effort, &outcome, now, randomness.chance());
    Finished {
        delivery: attempt.delivery,
        number: attempt.number,
        at: now,
        outcome,
        decision,
        confirmed: false,
    }
}
