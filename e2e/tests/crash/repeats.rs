//! Messages that came more than once, by why.

use std::collections::{HashMap, HashSet};

use domain::endpoint::Protocol;

use crate::store::Stored;
use crate::verdict::Evidence;

/// The repeats over one protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Repeats {
    /// Messages that came, repeats among them.
    pub(crate) received: u32,
    /// The attempt before was in flight when the program was killed.
    pub(crate) killed: u32,
    /// The attempt before ended without an answer.
    pub(crate) unheard: u32,
    /// The provider had reported it undelivered, and a person sent it again.
    pub(crate) reported: u32,
    /// Nothing of that; or a text that no person released.
    pub(crate) unexplained: u32,
}

/// The repeats over each protocol.
pub(crate) fn by_protocol(evidence: &Evidence, stored: &Stored) -> Vec<(Protocol, Repeats)> {
    let mut in_flight = HashMap::<&str, u32>::new();
    for id in evidence.killings.iter().flat_map(|kill| &kill.in_flight) {
        *in_flight.entry(id).or_default() += 1;
    }
    let redriven: HashSet<_> = evidence.redriven().map(String::as_str).collect();
    let revived: HashSet<_> = evidence.release.revived.iter().map(String::as_str).collect();
    let received = received(evidence, stored);
    Protocol::ALL
        .map(|protocol| {
            let mut repeats = Repeats::default();
            for ((_, id), times) in received.iter().filter(|((of, _), _)| *of == protocol) {
                let held_back = protocol == Protocol::Sms && !redriven.contains(id) && !revived.contains(id);
                let killed = in_flight.get(id).copied().filter(|_| !held_back).unwrap_or(0);
                let unheard = stored.unheard.get(*id).copied().filter(|_| !held_back).unwrap_or(0);
                repeats.add(*times, killed, unheard, u32::from(revived.contains(id)));
            }
            (protocol, repeats)
        })
        .into()
}

/// How often each delivery came. A post to a chat does not tell its id: it is found by endpoint and order.
fn received<'a>(evidence: &'a Evidence, stored: &'a Stored) -> HashMap<(Protocol, &'a str), u32> {
    let subscriptions: HashMap<_, _> =
        evidence.subscriptions.iter().map(|it| (it.endpoint.as_str(), it.id.replace('-', ""))).collect();
    let mut received = HashMap::new();
    for receipt in &evidence.receipts {
        let by_order = || {
            let subscription = subscriptions.get(receipt.endpoint.as_str())?;
            let delivery = stored.deliveries.get(&(subscription.clone(), receipt.order.clone()?))?;
            Some(delivery.id.as_str())
        };
        if let Some(id) = receipt.delivery.as_deref().or_else(by_order) {
            *received.entry((receipt.protocol, id)).or_default() += 1;
        }
    }
    received
}

impl Repeats {
    /// One delivery that came `times`, while so many of its attempts were cut short by kills, or ended without an
    /// answer; those that were cut short are among these.
    fn add(&mut self, times: u32, killed: u32, unheard: u32, reported: u32) {
        let mut left = times - 1;
        let mut explain = |by: u32| {
            let explained = left.min(by);
            left -= explained;
            explained
        };
        self.received += times;
        self.killed += explain(killed);
        self.unheard += explain(unheard.saturating_sub(killed));
        self.reported += explain(reported);
        self.unexplained += left;
    }

    /// All of them.
    pub(crate) fn total(&self) -> u32 {
        self.killed + self.unheard + self.reported + self.unexplained
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::killer::Kill;
    use crate::verdict::tests::{nothing_seen, nothing_stored, receipt};

    fn killed(evidence: &mut Evidence, id: &str) {
        evidence.killings.push(Kill { in_commit: None, in_flight: vec![id.to_owned()] });
    }

    fn explained(evidence: &Evidence, of: Protocol) -> (u32, u32) {
        let found = by_protocol(evidence, &nothing_stored());
        let (_, repeats) = found.iter().find(|(protocol, _)| *protocol == of).unwrap();
        (repeats.killed, repeats.unexplained)
    }

    #[test]
    fn a_repeat_is_explained_only_by_an_attempt_that_was_cut_short() {
        let mut evidence = nothing_seen();
        evidence.receipts = vec![receipt("/one", "a"), receipt("/one", "a")];
        assert_eq!(explained(&evidence, Protocol::Webhook), (0, 1));
        killed(&mut evidence, "/onea");
        assert_eq!(explained(&evidence, Protocol::Webhook), (1, 0));
    }

    #[test]
    fn a_text_is_not_repeated_unless_a_person_released_it() {
        let mut evidence = nothing_seen();
        let text = || crate::receipts::Receipt { protocol: Protocol::Sms, ..receipt("+1", "a") };
        evidence.receipts = vec![text(), text()];
        killed(&mut evidence, "+1a");
        assert_eq!(explained(&evidence, Protocol::Sms), (0, 1));
        evidence.release.redriven.push("+1a".to_owned());
        assert_eq!(explained(&evidence, Protocol::Sms), (1, 0));
    }
}
