//! Messages that came more than once, by why.

use std::collections::{HashMap, HashSet};

use domain::endpoint::Protocol;
use oracle::receptions::{self, Causes, Repeats};

use crate::store::Stored;
use crate::verdict::{Broken, Evidence};

/// The messages over one protocol.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Received {
    /// Messages that came, repeats among them.
    pub(crate) times: u32,
    /// Those that came again, by why.
    pub(crate) repeats: Repeats,
}

/// The messages over each protocol, and each delivery that came again without cause.
pub(crate) fn by_protocol(evidence: &Evidence, stored: &Stored) -> (Vec<(Protocol, Received)>, Vec<Broken>) {
    let mut in_flight = HashMap::<&str, u32>::new();
    for id in evidence.killings.iter().flat_map(|kill| &kill.in_flight) {
        *in_flight.entry(id).or_default() += 1;
    }
    let redriven: HashSet<_> = evidence.redriven().map(String::as_str).collect();
    let revived: HashSet<_> = evidence.release.revived.iter().map(String::as_str).collect();
    let (received, mut broken) = (received(evidence, stored), Vec::new());
    let all = Protocol::ALL.map(|protocol| {
        let mut all = Received::default();
        for ((_, id), times) in received.iter().filter(|((of, _), _)| *of == protocol) {
            let causes = Causes {
                killed: in_flight.get(id).copied().unwrap_or(0),
                unknown: stored.unheard.get(*id).copied().unwrap_or(0),
                reported: u32::from(revived.contains(id)),
                held_back: protocol == Protocol::Sms && !redriven.contains(id) && !revived.contains(id),
            };
            let repeats = Repeats::of(*times, causes);
            broken.extend(receptions::explained(repeats).map(|it| (format!("delivery {id}"), it)));
            all.add(*times, repeats);
        }
        (protocol, all)
    });
    (all.into(), broken)
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

impl Received {
    fn add(&mut self, times: u32, repeats: Repeats) {
        self.times += times;
        self.repeats.killed += repeats.killed;
        self.repeats.unknown += repeats.unknown;
        self.repeats.reported += repeats.reported;
        self.repeats.unexplained += repeats.unexplained;
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
        let (found, broken) = by_protocol(evidence, &nothing_stored());
        let (_, Received { repeats, .. }) = found.iter().find(|(protocol, _)| *protocol == of).unwrap();
        assert_eq!(broken.len(), usize::from(repeats.unexplained > 0));
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
