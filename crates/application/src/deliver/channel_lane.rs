//! One channel as the engine sees it: how much is in flight, and whether it is paused.

use std::time::Duration;

use domain::Timestamp;
use domain::subscription::SubscriptionId;

use crate::ports::Concurrency;

const FIRST_PROBE: Duration = Duration::from_secs(2);
const MAX_PROBE: Duration = Duration::from_mins(1);

/// One channel's capacity and health.
#[derive(Debug)]
pub(super) struct ChannelLane {
    pub(super) concurrency: Concurrency,
    in_flight: usize,
    served_last: Option<SubscriptionId>,
    health: Health,
    /// Failures since the last success; a channel that fails right after a good probe is probed less and less.
    failures: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Health {
    Working,
    /// A probe went well: one delivery goes ahead before the others follow.
    OnTrial,
    Paused {
        probe_at: Timestamp,
    },
    Probing,
}

impl ChannelLane {
    pub(super) fn new(concurrency: Concurrency) -> Self {
        Self { concurrency, in_flight: 0, served_last: None, health: Health::Working, failures: 0 }
    }

    /// How many more attempts may begin now.
    pub(super) fn room(&self) -> usize {
        let capacity = match self.health {
            Health::Working => self.concurrency.channel,
            Health::OnTrial => 1,
            Health::Paused { .. } | Health::Probing => 0,
        };
        capacity.saturating_sub(self.in_flight)
    }

    pub(super) fn is_paused(&self) -> bool {
        matches!(self.health, Health::Paused { .. } | Health::Probing)
    }

    /// Which endpoint had the last turn.
    pub(super) fn served_last(&self) -> Option<SubscriptionId> {
        self.served_last
    }

    pub(super) fn begins(&mut self, endpoint: SubscriptionId) {
        self.in_flight += 1;
        self.served_last = Some(endpoint);
    }

    pub(super) fn ends(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Something got through.
    pub(super) fn works(&mut self) {
        self.failures = 0;
        if self.health == Health::OnTrial {
            self.health = Health::Working;
        }
    }

    /// Pauses the channel; answers whether it was not paused already.
    pub(super) fn pause(&mut self, now: Timestamp) -> bool {
        if self.is_paused() {
            return false;
        }
        self.wait_for_probe(now);
        true
    }

    /// A probe failed: the next one comes later.
    pub(super) fn probe_failed(&mut self, now: Timestamp) {
        self.wait_for_probe(now);
    }

    /// A probe went well.
    pub(super) fn resume(&mut self) {
        self.health = Health::OnTrial;
    }

    /// Whether a probe is to be made now; if so, it counts as being made.
    pub(super) fn take_probe(&mut self, now: Timestamp) -> bool {
        let due = matches!(self.health, Health::Paused { probe_at } if probe_at <= now);
        if due {
            self.health = Health::Probing;
        }
        due
    }

    pub(super) fn next_probe(&self) -> Option<Timestamp> {
        match self.health {
            Health::Paused { probe_at } => Some(probe_at),
            _ => None,
        }
    }

    fn wait_for_probe(&mut self, now: Timestamp) {
        let delay = FIRST_PROBE.saturating_mul(1 << self.failures.min(10)).min(MAX_PROBE);
        self.failures += 1;
        self.health = Health::Paused { probe_at: now + delay };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane() -> ChannelLane {
        ChannelLane::new(Concurrency { channel: 3, endpoint: 1 })
    }

    #[test]
    fn a_paused_channel_begins_nothing_and_lets_one_go_ahead_after_a_good_probe() {
        let now = Timestamp::UNIX_EPOCH;
        let mut lane = lane();
        assert!(lane.pause(now));
        assert!(!lane.pause(now));
        assert_eq!(lane.room(), 0);
        assert!(!lane.take_probe(now));
        assert!(lane.take_probe(now + FIRST_PROBE));
        assert!(!lane.take_probe(now + FIRST_PROBE));
        lane.resume();
        assert_eq!(lane.room(), 1);
        lane.begins(SubscriptionId::new(now, [0; 10]));
        assert_eq!(lane.room(), 0);
        lane.ends();
        lane.works();
        assert_eq!(lane.room(), 3);
    }

    #[test]
    fn a_channel_that_fails_again_after_each_good_probe_is_probed_less_and_less() {
        let now = Timestamp::UNIX_EPOCH;
        let mut lane = lane();
        let waits: Vec<_> = (0..8)
            .map(|_| {
                lane.pause(now);
                let at = lane.next_probe().unwrap();
                assert!(lane.take_probe(at));
                lane.resume();
                at.duration_since(now).as_secs()
            })
            .collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
