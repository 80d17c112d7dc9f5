//! A store that keeps deliveries in memory and the promises of `DeliveryQueue` to the letter.

use domain::delivery::OnUnknown;
use std::collections::{BTreeMap, BTreeSet};

use application::ports::{Due, DueDelivery, DueQuery, Finished, Intent};
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind};
use domain::delivery::{Consequence, DeliveryId, Next, decide};
use domain::endpoint::Protocol;
use domain::retry::Chance;
use domain::subscription::SubscriptionId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Pending(Timestamp),
    InFlight,
    Over,
}

#[derive(Debug, Default)]
pub(crate) struct ModelStore {
    pub(crate) rows: BTreeMap<DeliveryId, (DueDelivery, State)>,
    pub(crate) ended: BTreeSet<SubscriptionId>,
    /// Until when endpoints asked to be left alone.
    pub(crate) patience: BTreeMap<SubscriptionId, Timestamp>,
}

impl ModelStore {
    pub(crate) fn owe(&mut self, delivery: DueDelivery, now: Timestamp) {
        if !self.ended.contains(&delivery.subscription.id) {
            self.rows.insert(delivery.id, (delivery, State::Pending(now)));
        }
    }

    pub(crate) fn end(&mut self, subscription: SubscriptionId) {
        self.ended.insert(subscription);
        for (delivery, state) in self.rows.values_mut() {
            if delivery.subscription.id == subscription && matches!(state, State::Pending(_)) {
                *state = State::Over;
            }
        }
    }

    /// What is pending, and since when or from when on it is due.
    pub(crate) fn pending(&self) -> impl Iterator<Item = (&DueDelivery, Timestamp)> {
        self.rows.values().filter_map(|(delivery, state)| match state {
            State::Pending(at) => Some((delivery, *at)),
            _ => None,
        })
    }

    pub(crate) fn due(&self, query: &DueQuery) -> Due {
        let skipped: BTreeSet<_> = query.skip_endpoints.iter().copied().collect();
        let wanted = |delivery: &DueDelivery| {
            !skipped.contains(&delivery.subscription.id)
                && !query.skip_protocols.contains(&delivery.protocol())
        };
        let mut pending: Vec<_> = self.pending().filter(|(delivery, _)| wanted(delivery)).collect();
        pending.sort_by_key(|(delivery, at)| (*at, delivery.id));
        let mut of_endpoint = BTreeMap::new();
        let mut due = Due::default();
        for (delivery, at) in pending {
            if at > query.now {
                due.next_at = Some(at);
                break;
            }
            let taken: &mut usize = of_endpoint.entry(delivery.subscription.id).or_default();
            if *taken < query.per_endpoint && due.deliveries.len() < query.limit {
                *taken += 1;
                due.deliveries.push(DueDelivery { due_at: at, ..delivery.clone() });
            }
        }
        due
    }

    pub(crate) fn begin(&mut self, intents: &[Intent]) -> Vec<DeliveryId> {
        let mut begun = Vec::new();
        for intent in intents {
            let Some((delivery, state)) = self.rows.get_mut(&intent.delivery) else { continue };
            if matches!(state, State::Pending(_)) && intent.number == delivery.attempts + 1 {
                *state = State::InFlight;
                delivery.attempts += 1;
                begun.push(delivery.id);
            }
        }
        begun
    }

    pub(crate) fn finish(&mut self, finished: &[Finished]) {
        for finished in finished {
            let Some((delivery, state)) = self.rows.get_mut(&finished.delivery) else { continue };
            if *state != State::InFlight || finished.number != delivery.attempts {
                continue;
            }
            let subscription = delivery.subscription.id;
            delivery.spent += u32::from(finished.decision.spent);
            *state = match finished.decision.next {
                Next::Again(at) if !self.ended.contains(&subscription) => State::Pending(at),
                Next::Again(_) | Next::Over(_) => State::Over,
            };
            match finished.decision.consequence {
                Some(Consequence::EndSubscription(_)) => self.end(subscription),
                Some(Consequence::PauseEndpoint(until)) => {
                    let patience = self.patience.entry(subscription).or_insert(until);
                    *patience = until.max(*patience);
                }
                Some(Consequence::PauseChannel | Consequence::SuspendSubscription) | None => {}
            }
        }
    }

    /// What a restart does with the attempts that have no outcome.
    pub(crate) fn recover(&mut self, now: Timestamp, chance: Chance) {
        let unknown = Outcome::new(OutcomeKind::Unknown, "");
        let unfinished = |(delivery, state): &(DueDelivery, State)| {
            (*state == State::InFlight).then(|| Finished {
                delivery: delivery.id,
                number: delivery.attempts,
                at: now,
                outcome: unknown.clone(),
                decision: decide(delivery.effort(OnUnknown::Retry), &unknown, now, chance),
                confirmed: false,
            })
        };
        let finished: Vec<_> = self.rows.values().filter_map(unfinished).collect();
        self.finish(&finished);
    }

    pub(crate) fn in_flight(&self, protocol: Protocol) -> usize {
        let in_flight = |(delivery, state): &&(DueDelivery, State)| {
            delivery.protocol() == protocol && *state == State::InFlight
        };
        self.rows.values().filter(in_flight).count()
    }
}
