//! One channel as the engine sees it: how much is in flight, how fast it goes, and whether it is paused.

use std::fmt;
use std::time::Duration;

use domain::Timestamp;
use domain::attempt::OutcomeKind;

use super::pace::Pace;
use super::suspects::Suspects;
use super::wait::Wait;
use crate::ports::{ChannelRules, DueDelivery};

const FIRST_PROBE: Duration = Duration::from_secs(2);
const MAX_PROBE: Duration = Duration::from_mins(1);
/// The part of a channel that endpoints may take up that failed last: one in four.
pub(super) const AILING_SHARE: usize = 4;
/// So many attempts in a row of which nobody knows what came of them say that a provider does not answer.
const UNHEARD: u32 = 3;

/// One channel's capacity and health.
#[derive(Debug)]
pub(super) struct ChannelLane {
    pub(super) rules: ChannelRules,
    pace: Pace,
    in_flight: usize,
    /// Of these, to endpoints that failed last.
    ailing: usize,
    health: Health,
    /// Failures since the last success; a channel that fails right after a good probe is probed less and less.
    failures: u32,
    /// Attempts in a row of which nobody knows what came of them.
    unheard: u32,
    pub(super) suspects: Suspects,
}

/// How a channel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelHealth {
    /// It sends.
    Working,
    /// A probe went well: one delivery goes ahead before the others follow.
    OnTrial,
    /// It sends nothing until a probe goes well.
    Paused,
    /// A probe is under way.
    Probing,
}

#[derive(Debug, PartialEq, Eq)]
enum Health {
    Working,
    OnTrial,
    Paused(Wait),
    Probing,
}

impl ChannelLane {
    pub(super) fn new(rules: ChannelRules) -> Self {
        Self {
            rules,
            pace: Pace::default(),
            in_flight: 0,
            ailing: 0,
            health: Health::Working,
            failures: 0,
            unheard: 0,
            suspects: Suspects::default(),
        }
    }

    pub(super) fn health(&self) -> ChannelHealth {
        match self.health {
            Health::Working => ChannelHealth::Working,
            Health::OnTrial => ChannelHealth::OnTrial,
            Health::Paused(_) => ChannelHealth::Paused,
            Health::Probing => ChannelHealth::Probing,
        }
    }

    /// Whether an attempt may begin now.
    pub(super) fn has_room(&self, now: Timestamp) -> bool {
        let capacity = match self.health {
            Health::Working => self.rules.concurrency.channel,
            Health::OnTrial => 1,
            Health::Paused(_) | Health::Probing => 0,
        };
        self.in_flight < capacity && self.pace.allows(now)
    }

    /// Whether, where an attempt may begin, it may be to an endpoint that failed last: however many of these hang, most
    /// of the channel is left to those that work.
    pub(super) fn has_room_for_ailing(&self) -> bool {
        self.ailing < (self.rules.concurrency.channel / AILING_SHARE).max(1)
    }

    /// When its pace lets the next attempt begin, if not now.
    pub(super) fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        self.pace.next(now)
    }

    pub(super) fn is_paused(&self) -> bool {
        matches!(self.health, Health::Paused(_) | Health::Probing)
    }

    pub(super) fn begins(&mut self, delivery: &DueDelivery, now: Timestamp) {
        self.in_flight += 1;
        self.ailing += usize::from(is_ailing(delivery));
        self.pace.begins(self.rules.max_per_second, now);
    }

    pub(super) fn ends(&mut self, delivery: &DueDelivery) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.ailing = self.ailing.saturating_sub(usize::from(is_ailing(delivery)));
    }

    /// Takes in what came of an attempt. Answers whether nobody has heard from the other side for several in a row.
    pub(super) fn hear(&mut self, kind: OutcomeKind) -> bool {
        if kind == OutcomeKind::Unknown {
            self.unheard = self.unheard.saturating_add(1);
            return self.unheard >= UNHEARD;
        }
        if kind.is_answer() {
            self.works();
        }
        false
    }

    fn works(&mut self) {
        self.failures = 0;
        self.unheard = 0;
        self.suspects.channel_answers();
        if self.health == Health::OnTrial {
            self.health = Health::Working;
        }
    }

    /// Pauses the channel, and does not probe it before `until`; answers whether it was not paused already.
    pub(super) fn pause(&mut self, now: Timestamp, until: Option<Timestamp>) -> bool {
        let fresh = !self.is_paused();
        if fresh {
            self.wait_for_probe(now);
        }
        if let (Health::Paused(wait), Some(until)) = (&mut self.health, until) {
            *wait = Wait::new(now, until).or_longer(Some(*wait), now);
        }
        fresh
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
        let due = matches!(self.health, Health::Paused(wait) if wait.is_over(now));
        if due {
            self.health = Health::Probing;
        }
        due
    }

    pub(super) fn next_probe(&self) -> Option<Timestamp> {
        match self.health {
            Health::Paused(wait) => Some(wait.until()),
            _ => None,
        }
    }

    fn wait_for_probe(&mut self, now: Timestamp) {
        let delay = FIRST_PROBE.saturating_mul(1 << self.failures.min(10)).min(MAX_PROBE);
        self.failures += 1;
        self.health = Health::Paused(Wait::new(now, now + delay));
    }
}

impl ChannelHealth {
    /// Every health there is.
    pub const ALL: [Self; 4] = [Self::Working, Self::OnTrial, Self::Paused, Self::Probing];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::OnTrial => "on_trial",
            Self::Paused => "paused",
            Self::Probing => "probing",
        }
    }

    /// The healths that may follow this one.
    #[must_use]
    pub fn successors(self) -> &'static [Self] {
        match self {
            Self::Working => &[Self::Paused],
            Self::OnTrial => &[Self::Working, Self::Paused],
            Self::Paused => &[Self::Probing],
            Self::Probing => &[Self::OnTrial, Self::Paused],
        }
    }
}

impl fmt::Display for ChannelHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether the last attempt at the delivery's endpoint failed.
pub(super) fn is_ailing(delivery: &DueDelivery) -> bool {
    delivery.subscription.failing.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Concurrency;

    fn lane() -> ChannelLane {
        ChannelLane::new(ChannelRules::new(Concurrency { channel: 3, endpoint: 1 }))
    }

    #[test]
    fn a_paused_channel_begins_nothing_and_lets_one_go_ahead_after_a_good_probe() {
        let now = Timestamp::UNIX_EPOCH;
        let mut lane = lane();
        assert!(lane.pause(now, None));
        assert!(!lane.pause(now, None));
        assert!(!lane.has_room(now));
        assert!(!lane.take_probe(now));
        assert!(lane.take_probe(now + FIRST_PROBE));
        assert!(!lane.take_probe(now + FIRST_PROBE));
        lane.resume();
        let mut takes = |in_flight| {
            lane.in_flight = in_flight;
            lane.has_room(now)
        };
        assert_eq!([0, 1].map(&mut takes), [true, false], "one goes ahead");
        lane.hear(OutcomeKind::Delivered);
        let mut takes = |in_flight| {
            lane.in_flight = in_flight;
            lane.has_room(now)
        };
        assert_eq!([2, 3].map(&mut takes), [true, false], "the others follow");
    }

    #[test]
    fn a_provider_that_asks_for_patience_is_not_probed_before_its_time() {
        let now = Timestamp::UNIX_EPOCH;
        let mut lane = lane();
        let long = Duration::from_mins(10);
        assert!(lane.pause(now, None));
        assert!(!lane.pause(now, Some(now + long)), "another message of the same pause");
        assert_eq!(lane.next_probe(), Some(now + long));
        assert!(!lane.pause(now, Some(now + Duration::from_secs(1))), "the longest patience holds");
        assert_eq!(lane.next_probe(), Some(now + long));
        assert!(!lane.take_probe(now + long / 2));
        assert!(lane.take_probe(now + long));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_put_the_probe_off() {
        let now = Timestamp::UNIX_EPOCH + Duration::from_hours(24);
        let mut lane = lane();
        lane.pause(now, None);
        assert!(lane.take_probe(now - Duration::from_hours(23)));
    }

    #[test]
    fn a_channel_that_fails_again_after_each_good_probe_is_probed_less_and_less() {
        let now = Timestamp::UNIX_EPOCH;
        let mut lane = lane();
        let waits: Vec<_> = (0..8)
            .map(|_| {
                lane.pause(now, None);
                let at = lane.next_probe().unwrap();
                assert!(lane.take_probe(at));
                lane.resume();
                at.duration_since(now).as_secs()
            })
            .collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
