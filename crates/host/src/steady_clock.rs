//! A clock that goes on steadily while the machine's is set, and follows where it was set to only once that has held.
//!
//! Due times, pauses and keys' lives all go by it: a clock that is a year ahead for a moment must not strand them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use application::ports::Clock;
use domain::Timestamp;
use jiff::SignedDuration;

/// Up to here the machine's clock is believed at once: clocks drift, and are slewed back.
const DRIFT: SignedDuration = SignedDuration::from_secs(2);
/// How long a jump must have held until it is followed.
const HELD_FOR: Duration = Duration::from_secs(10);

/// The time, as it is to be believed, from what the machine's clock shows and the time that has passed.
#[derive(Debug)]
struct SteadyTime {
    /// What the clock showed when no time had passed, as it is believed.
    origin: Timestamp,
    jump: Option<ClockJump>,
    latest: Timestamp,
    /// How far all jumps together went that were followed and not told of.
    followed: Option<SignedDuration>,
}

/// A jump that is not followed yet.
#[derive(Debug, Clone, Copy)]
struct ClockJump {
    origin: Timestamp,
    /// After which time it was seen.
    seen: Duration,
}

impl SteadyTime {
    fn new(wall: Timestamp, passed: Duration) -> Self {
        Self { origin: origin(wall, passed), jump: None, latest: wall, followed: None }
    }

    /// What time it is, now that the machine's clock shows `wall` and so much time has passed. It goes back only where a
    /// jump back is followed: by less, it stands still.
    fn read(&mut self, wall: Timestamp, passed: Duration) -> Timestamp {
        let shown = origin(wall, passed);
        let off = shown.duration_since(self.origin);
        if off.abs() <= DRIFT {
            (self.origin, self.jump) = (shown, None);
        } else if self.has_held(shown, passed) {
            self.followed = Some(self.followed.unwrap_or_default().saturating_add(off));
            (self.origin, self.jump) = (shown, None);
            self.latest = wall;
        }
        let now = self.origin.checked_add(passed).unwrap_or(Timestamp::MAX);
        self.latest = self.latest.max(now);
        self.latest
    }

    /// Whether a jump to there was seen long enough ago, and no other since.
    fn has_held(&mut self, shown: Timestamp, passed: Duration) -> bool {
        let same = self.jump.filter(|jump| shown.duration_since(jump.origin).abs() <= DRIFT);
        let jump = same.unwrap_or(ClockJump { origin: shown, seen: passed });
        self.jump = Some(jump);
        passed.saturating_sub(jump.seen) >= HELD_FOR
    }
}

/// What a clock would have shown when no time had passed.
fn origin(wall: Timestamp, passed: Duration) -> Timestamp {
    wall.checked_sub(passed).unwrap_or(Timestamp::MIN)
}

/// The steady clock of this machine. While it sleeps no time passes: waking up is a jump like any other.
#[derive(Debug)]
pub struct SteadyClock {
    started: Instant,
    time: Mutex<SteadyTime>,
}

impl SteadyClock {
    /// A clock that shows what the machine's does now.
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    #[must_use]
    pub fn start() -> Self {
        let time = Mutex::new(SteadyTime::new(Timestamp::now(), Duration::ZERO));
        Self { started: Instant::now(), time }
    }

    /// How far it jumped, following the machine's clock, since this was asked last.
    pub fn take_jump(&self) -> Option<SignedDuration> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).followed.take()
    }
}

impl Clock for SteadyClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    fn now(&self) -> Timestamp {
        let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        time.read(Timestamp::now(), self.started.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;
    const DAY: SignedDuration = SignedDuration::from_hours(24);

    /// A machine whose clock can be set.
    struct Machine {
        time: SteadyTime,
        passed: Duration,
        set: SignedDuration,
    }

    impl Machine {
        fn new() -> Self {
            Self {
                time: SteadyTime::new(START, Duration::ZERO),
                passed: Duration::ZERO,
                set: SignedDuration::ZERO,
            }
        }

        /// Lets that time pass, looking at the clock each 100 ms, and answers by how many milliseconds the clock is off
        /// the time that has passed.
        fn pass(&mut self, millis: u64) -> i128 {
            for _ in 0..millis / 100 {
                self.passed += Duration::from_millis(100);
                self.look();
            }
            self.look()
        }

        fn look(&mut self) -> i128 {
            let wall = START + self.passed + self.set;
            let now = self.time.read(wall, self.passed);
            now.duration_since(START + self.passed).as_millis()
        }

        fn set(&mut self, by: SignedDuration) {
            self.set += by;
        }
    }

    #[test]
    fn a_clock_that_is_set_for_a_moment_is_not_followed() {
        for jump in [DAY * 400, DAY * -400, SignedDuration::from_secs(3), SignedDuration::from_hours(-1)] {
            let mut machine = Machine::new();
            machine.pass(5_000);
            machine.set(jump);
            assert_eq!(machine.pass(9_900), 0, "{jump:#}");
            machine.set(-jump);
            assert_eq!((machine.pass(60_000), machine.time.followed), (0, None), "{jump:#}");
        }
    }

    #[test]
    fn a_jump_that_holds_is_followed_after_ten_seconds_and_told_of_once() {
        for jump in [DAY * 400, DAY * -400, SignedDuration::from_secs(3), SignedDuration::from_hours(-1)] {
            let mut machine = Machine::new();
            machine.set(jump);
            assert_eq!(machine.pass(10_000), 0, "{jump:#}");
            assert_eq!(machine.pass(100), jump.as_millis(), "{jump:#}");
            assert_eq!(machine.time.followed.take(), Some(jump));
            assert_eq!((machine.pass(60_000), machine.time.followed), (jump.as_millis(), None));
        }
    }

    #[test]
    fn a_clock_that_is_set_hither_and_thither_is_not_followed() {
        let mut machine = Machine::new();
        for hours in [1, 2, -3, 4, -5, 1] {
            machine.set(SignedDuration::from_hours(hours));
            assert_eq!(machine.pass(9_000), 0);
        }
    }

    #[test]
    fn a_clock_that_drifts_is_followed_and_never_goes_back() {
        let mut machine = Machine::new();
        machine.set(SignedDuration::from_millis(1_500));
        assert_eq!(machine.pass(100), 1_500);
        machine.set(SignedDuration::from_millis(-1_000));
        assert_eq!(machine.look(), 1_500, "it stands still");
        assert_eq!(machine.pass(400), 1_100);
        assert_eq!(machine.pass(10_000), 500, "until it is right");
        assert_eq!(machine.time.followed, None);
    }

    #[test]
    fn a_machine_that_slept_has_the_right_time_ten_seconds_after_it_woke() {
        let mut machine = Machine::new();
        machine.pass(1_000);
        machine.set(SignedDuration::from_hours(8));
        machine.pass(10_100);
        assert_eq!(machine.look(), SignedDuration::from_hours(8).as_millis());
    }

    #[test]
    fn a_clock_at_either_end_of_time_does_no_harm() {
        for wall in [Timestamp::MIN, Timestamp::MAX] {
            let mut time = SteadyTime::new(START, Duration::ZERO);
            for seconds in 0..30 {
                time.read(wall, Duration::from_secs(seconds));
            }
            assert!(time.read(wall, Duration::from_secs(30)) >= Timestamp::MIN);
        }
    }
}
