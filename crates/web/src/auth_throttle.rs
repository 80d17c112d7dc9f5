//! Throttles authentication: who presents many wrong keys is made to wait, and the log tells of them, a line at a time.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;

use crate::client::masked;
use crate::keys::KeyHash;
use crate::observe::LogThrottle;

/// Counts the keys that were wrong, or not looked at because too many were before.
const WRONG_KEYS_METRIC: &str = "orderbell_wrong_keys_total";
/// So many wrong keys of one address cost no wait: they are mistakes.
const FREE_ATTEMPTS: usize = 5;
/// The longest wait. The first is a second, and each further wrong key doubles it.
const MAX_WAIT: Duration = Duration::from_mins(5);
/// An address that presents none for so long has a clean slate.
const FORGET_AFTER: Duration = Duration::from_mins(15);
/// How many addresses are remembered, at some 200 bytes each. Where there are more, who was quiet longest is forgotten.
const MAX_ADDRESSES: usize = 4_096;

/// Throttles whoever presents one wrong key after another.
///
/// Whoever tries one key after another has to wait: no key of that address is looked at meanwhile. A program that presents
/// the same wrong key for ever is told to wait as well, but guesses nothing: another one at its address is let in. Behind a
/// loopback address there may be everyone, such as the clients of a proxy that names none: there, each key is looked at, and
/// only a wrong one is told to wait.
#[derive(Debug, Default)]
pub struct AuthThrottle(Mutex<ThrottleState>);

#[derive(Debug, Default)]
struct ThrottleState {
    clients: HashMap<IpAddr, WrongKeys>,
    /// The same clients, who was quiet longest first.
    quietest: BTreeSet<(Timestamp, IpAddr)>,
    /// How many there were, and whose the last was.
    keys: LogThrottle,
    last: String,
}

/// What came from one address.
#[derive(Debug)]
struct WrongKeys {
    /// All that were looked at.
    all: Streak,
    /// Those that were not just the same again.
    guesses: Streak,
    /// The last of them, so as to know one again. A part of the hash will do.
    recent: VecDeque<u64>,
}

/// Wrong keys, one after the other.
#[derive(Debug, Clone, Copy)]
struct Streak {
    count: usize,
    last: Timestamp,
}

impl AuthThrottle {
    /// For how long the client has to wait before a key of theirs is looked at; `None` if not at all.
    pub(crate) fn wait(&self, client: Option<IpAddr>, now: Timestamp) -> Option<Duration> {
        let client = client.filter(|client| !client.is_loopback())?;
        let mut state = self.lock();
        let wait = state.clients.get(&client)?.guesses.left(now)?;
        state.add(Some(client), now);
        Some(wait)
    }

    /// Records that this key was wrong. Returns how long to wait, if it came too soon after others.
    pub(crate) fn record_wrong_key(
        &self,
        client: Option<IpAddr>,
        key: &KeyHash,
        now: Timestamp,
    ) -> Option<Duration> {
        let mut state = self.lock();
        state.add(client, now);
        state.record(client?, key.beginning(), now)
    }

    /// Logs those that came since the last line, once it is time for another.
    pub fn log_pending(&self, now: Timestamp) {
        self.lock().log_pending(now);
    }

    fn lock(&self) -> MutexGuard<'_, ThrottleState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ThrottleState {
    fn add(&mut self, client: Option<IpAddr>, now: Timestamp) {
        metrics::counter!(WRONG_KEYS_METRIC).increment(1);
        self.keys.suppressed += 1;
        self.last = client.map_or_else(|| "unknown".to_owned(), masked);
        self.log_pending(now);
    }

    fn log_pending(&mut self, now: Timestamp) {
        if let Some(count) = self.keys.due(now) {
            tracing::warn!(count, client = self.last, "wrong keys were presented");
        }
    }

    fn record(&mut self, client: IpAddr, key: u64, now: Timestamp) -> Option<Duration> {
        let earlier = self.clients.remove(&client);
        if let Some(earlier) = &earlier {
            self.quietest.remove(&(earlier.all.last, client));
        }
        let mut wrong_keys =
            earlier.filter(|earlier| !earlier.are_forgotten(now)).unwrap_or_else(|| WrongKeys::none(now));
        let wait = wrong_keys.all.left(now);
        wrong_keys.add(key, now);
        if self.clients.len() >= MAX_ADDRESSES
            && let Some((_, forgotten)) = self.quietest.pop_first()
        {
            self.clients.remove(&forgotten);
        }
        self.clients.insert(client, wrong_keys);
        self.quietest.insert((now, client));
        wait
    }
}

impl WrongKeys {
    fn none(now: Timestamp) -> Self {
        let none = Streak { count: 0, last: now };
        Self { all: none, guesses: none, recent: VecDeque::with_capacity(FREE_ATTEMPTS) }
    }

    fn add(&mut self, key: u64, now: Timestamp) {
        self.all.add(now);
        if self.recent.contains(&key) {
            return;
        }
        self.guesses.add(now);
        if self.recent.len() == FREE_ATTEMPTS {
            self.recent.pop_front();
        }
        self.recent.push_back(key);
    }

    fn are_forgotten(&self, now: Timestamp) -> bool {
        since(self.all.last, now).is_none_or(|past| past >= FORGET_AFTER)
    }
}

impl Streak {
    fn add(&mut self, now: Timestamp) {
        *self = Self { count: self.count.saturating_add(1), last: now };
    }

    /// How much is left of the wait that follows.
    fn left(self, now: Timestamp) -> Option<Duration> {
        let doublings = self.count.checked_sub(FREE_ATTEMPTS)?;
        let whole = Duration::from_secs(1 << doublings.min(16)).min(MAX_WAIT);
        whole.checked_sub(since(self.last, now)?).filter(|left| !left.is_zero())
    }
}

/// How long it has been; `None` if the clock was set back before it: then nobody is made to wait for it.
fn since(then: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(now.duration_since(then)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    fn client(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    fn key(number: u32) -> KeyHash {
        KeyHash::of(&number.to_string())
    }

    /// An address that presented so many wrong keys at once.
    fn after(count: u32, address: &str) -> AuthThrottle {
        let state = AuthThrottle::default();
        for number in 0..count {
            state.record_wrong_key(client(address), &key(number), at(0));
        }
        state
    }

    #[test]
    fn who_is_wrong_again_and_again_waits_longer_and_longer_but_not_for_ever() {
        let wait =
            |count| after(count, "203.0.113.7").wait(client("203.0.113.7"), at(0)).map(|wait| wait.as_secs());
        assert_eq!(
            [0, 1, 4, 5, 6, 9, 50].map(wait),
            [None, None, None, Some(1), Some(2), Some(16), Some(300)]
        );
        assert_eq!(wait(1_000), Some(300));
    }

    #[test]
    fn a_wait_ends_and_only_what_is_looked_at_lengthens_it() {
        let state = after(5, "203.0.113.7");
        for _ in 0..2_000 {
            assert!(state.wait(client("203.0.113.7"), at(999)).is_some());
        }
        assert_eq!(state.wait(client("203.0.113.7"), at(1_000)), None);
    }

    #[test]
    fn nobody_waits_for_the_mistakes_of_another_address() {
        let state = after(50, "2001:db8::");
        assert_eq!(state.wait(client("2001:db8:0:1::"), at(0)), None);
        assert_eq!(state.wait(None, at(0)), None);
    }

    #[test]
    fn behind_loopback_every_key_is_looked_at_and_a_wrong_one_told_to_wait() {
        for address in ["127.0.0.1", "::1"] {
            let state = after(50, address);
            assert_eq!(state.wait(client(address), at(0)), None);
            assert!(state.record_wrong_key(client(address), &key(51), at(1)).is_some());
        }
    }

    #[test]
    fn mistakes_are_forgotten_and_a_clock_that_was_set_makes_nobody_wait() {
        let quarter = 15 * 60 * 1_000;
        let state = after(50, "203.0.113.7");
        state.record_wrong_key(client("203.0.113.7"), &key(51), at(quarter));
        assert_eq!(state.wait(client("203.0.113.7"), at(quarter)), None);
        let state = after(50, "203.0.113.7");
        assert_eq!(state.wait(client("203.0.113.7"), at(-1)), None);
    }

    #[test]
    fn a_program_that_presents_the_same_wrong_keys_for_ever_keeps_its_neighbours_from_nothing() {
        let (address, state) = (client("203.0.113.7"), AuthThrottle::default());
        let said: Vec<_> = (0..1_000)
            .map(|number| state.record_wrong_key(address, &key(number % 2), at(0)).is_some())
            .collect();
        assert_eq!((said[4], said[5], said[999]), (false, true, true), "it is told to wait");
        assert_eq!(state.wait(address, at(0)), None);
        for number in 2..5 {
            state.record_wrong_key(address, &key(number), at(0));
        }
        assert!(state.wait(address, at(0)).is_some(), "five different ones are guesses");
    }

    #[test]
    fn any_number_of_addresses_is_known_in_bounded_memory_and_the_latest_are() {
        let state = AuthThrottle::default();
        for number in 0..10_000_u32 {
            let address = Some(IpAddr::from(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number)));
            for guess in 0..6 {
                state.record_wrong_key(address, &key(guess), at(i64::from(number)));
            }
        }
        let inside = state.lock();
        assert_eq!((inside.clients.len(), inside.quietest.len()), (MAX_ADDRESSES, MAX_ADDRESSES));
        drop(inside);
        assert!(state.wait(client("10.0.39.15"), at(10_000)).is_some());
    }

    #[test]
    fn a_flood_is_two_lines_of_the_log() {
        let state = AuthThrottle::default();
        for moment in 0..2_000 {
            state.record_wrong_key(client("203.0.113.7"), &key(0), at(moment / 2));
        }
        let told = || {
            let inside = state.lock();
            (inside.keys.suppressed, inside.keys.last_line)
        };
        assert_eq!(told(), (1_999, Some(at(0))));
        state.log_pending(at(9_999));
        assert_eq!(told(), (1_999, Some(at(0))));
        state.log_pending(at(10_000));
        assert_eq!(told(), (0, Some(at(10_000))));
    }
}
