//! Deliveries at which their channel breaks down, and works again in between: a mail address at which the relay hangs up.

use std::collections::HashMap;

use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::DeliveryId;

/// How often the channel may break down at a delivery, and answer to another in between, before it is the delivery's
/// fault.
const BREAKDOWNS: u32 = 5;

/// Who is suspected of what the channel suffers. Forgotten with the process: then it is found out anew.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    breakdowns: HashMap<DeliveryId, u32>,
    /// The other side has answered since the last breakdown.
    answers: bool,
}

impl Suspects {
    /// The other side answered, whatever it said.
    pub(super) fn channel_answers(&mut self) {
        self.answers = true;
    }

    /// Takes in what came of an attempt. Answers it as it came, or, where the fault is the delivery's, as that.
    pub(super) fn judge(&mut self, delivery: DeliveryId, outcome: Outcome) -> Outcome {
        if outcome.kind != OutcomeKind::Transient(Scope::Channel) {
            self.breakdowns.remove(&delivery);
            return outcome;
        }
        // A channel that answers nobody is down.
        if !std::mem::take(&mut self.answers) {
            return outcome;
        }
        let times = self.breakdowns.entry(delivery).or_default();
        *times += 1;
        if *times <= BREAKDOWNS {
            return outcome;
        }
        Outcome { kind: OutcomeKind::Transient(Scope::Delivery), ..outcome }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn breakdown() -> Outcome {
        Outcome::new(OutcomeKind::Transient(Scope::Channel), "the line dropped")
    }

    #[test]
    fn a_delivery_at_which_a_working_channel_breaks_down_again_and_again_is_at_fault() {
        let (mut suspects, delivery) = (Suspects::default(), DeliveryId::derived(Timestamp::UNIX_EPOCH, &[]));
        let mut scopes = (0..8).map(|_| {
            suspects.channel_answers();
            suspects.judge(delivery, breakdown()).kind.scope().unwrap()
        });
        assert!(scopes.by_ref().take(5).all(|scope| scope == Scope::Channel));
        assert!(scopes.all(|scope| scope == Scope::Delivery));
    }

    #[test]
    fn nobody_is_at_fault_where_a_channel_works_for_nobody() {
        let (mut suspects, delivery) = (Suspects::default(), DeliveryId::derived(Timestamp::UNIX_EPOCH, &[]));
        suspects.channel_answers();
        for _ in 0..20 {
            assert_eq!(suspects.judge(delivery, breakdown()), breakdown());
        }
    }
}
