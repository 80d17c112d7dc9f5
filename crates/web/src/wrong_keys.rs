//! Wrong keys: who presents many is made to wait, and the log tells of them, a line at a time.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;

use crate::client::masked;
use crate::keys::KeyHash;
use crate::seldom_said::SeldomSaid;

/// Counts the keys that were wrong, or not looked at because too many were before.
const COUNTED: &str = "orderbell_wrong_keys_total";
/// So many wrong keys of one address are mistakes.
const FREE: usize = 5;
/// The longest wait. The first is a second, and each further wrong key doubles it.
const LONGEST: Duration = Duration::from_mins(5);
/// An address that presents none for so long has a clean slate.
const FORGOTTEN: Duration = Duration::from_mins(15);
/// How many addresses are remembered, at some 200 bytes each. Where there are more, who was quiet longest is forgotten.
const MOST: usize = 4_096;

/// Who presented wrong keys lately.
///
/// Whoever tries one key after another has to wait: no key of that address is looked at meanwhile. A program that presents
/// the same wrong key for ever is told to wait as well, but guesses nothing: another one at its address is let in. Behind a
/// loopback address there may be everyone, such as the clients of a proxy that names none: there, each key is looked at, and
/// only a wrong one is told to wait.
#[derive(Debug, Default)]
pub struct WrongKeys(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    clients: HashMap<IpAddr, Mistakes>,
    /// The same clients, who was quiet longest first.
    quietest: BTreeSet<(Timestamp, IpAddr)>,
    /// How many there were, and whose the last was.
    keys: SeldomSaid,
    last: String,
}

/// What came from one address.
#[derive(Debug)]
struct Mistakes {
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

impl WrongKeys {
    /// For how long the client has to wait before a key of theirs is looked at; `None` if not at all.
    pub(crate) fn wait(&self, client: Option<IpAddr>, now: Timestamp) -> Option<Duration> {
        let client = client.filter(|client| !client.is_loopback())?;
        let mut known = self.lock();
        let wait = known.clients.get(&client)?.guesses.left(now)?;
        known.add(Some(client), now);
        Some(wait)
    }

    /// Takes in that this key was wrong. Gives how long to wait, if it came too soon after others.
    pub(crate) fn note(&self, client: Option<IpAddr>, key: &KeyHash, now: Timestamp) -> Option<Duration> {
        let mut known = self.lock();
        known.add(client, now);
        known.take_in(client?, key.beginning(), now)
    }

    /// Tells in the log of those that came since the last line, once it is time for another.
    pub fn tell(&self, now: Timestamp) {
        self.lock().tell(now);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn add(&mut self, client: Option<IpAddr>, now: Timestamp) {
        metrics::counter!(COUNTED).increment(1);
        self.keys.unsaid += 1;
        self.last = client.map_or_else(|| "unknown".to_owned(), masked);
        self.tell(now);
    }

    fn tell(&mut self, now: Timestamp) {
        if let Some(count) = self.keys.due(now) {
            tracing::warn!(count, client = self.last, "wrong keys were presented");
        }
    }

    fn take_in(&mut self, client: IpAddr, key: u64, now: Timestamp) -> Option<Duration> {
        let known = self.clients.remove(&client);
        if let Some(known) = &known {
            self.quietest.remove(&(known.all.last, client));
        }
        let mut mistakes =
            known.filter(|known| !known.are_forgotten(now)).unwrap_or_else(|| Mistakes::none(now));
        let wait = mistakes.all.left(now);
        mistakes.add(key, now);
        if self.clients.len() >= MOST
            && let Some((_, forgotten)) = self.quietest.pop_first()
        {
            self.clients.remove(&forgotten);
        }
        self.clients.insert(client, mistakes);
        self.quietest.insert((now, client));
        wait
    }
}

impl Mistakes {
    fn none(now: Timestamp) -> Self {
        let none = Streak { count: 0, last: now };
        Self { all: none, guesses: none, recent: VecDeque::with_capacity(FREE) }
    }

    fn add(&mut self, key: u64, now: Timestamp) {
        self.all.add(now);
        if self.recent.contains(&key) {
            return;
        }
        self.guesses.add(now);
        if self.recent.len() == FREE {
            self.recent.pop_front();
        }
        self.recent.push_back(key);
    }

    fn are_forgotten(&self, now: Timestamp) -> bool {
        since(self.all.last, now).is_none_or(|past| past >= FORGOTTEN)
    }
}

impl Streak {
    fn add(&mut self, now: Timestamp) {
        *self = Self { count: self.count.saturating_add(1), last: now };
    }

    /// How much is left of the wait that follows.
    fn left(self, now: Timestamp) -> Option<Duration> {
        let doublings = self.count.checked_sub(FREE)?;
        let whole = Duration::from_secs(1 << doublings.min(16)).min(LONGEST);
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
    fn after(count: u32, address: &str) -> WrongKeys {
        let known = WrongKeys::default();
        for number in 0..count {
            known.note(client(address), &key(number), at(0));
        }
        known
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
        let known = after(5, "203.0.113.7");
        for _ in 0..2_000 {
            assert!(known.wait(client("203.0.113.7"), at(999)).is_some());
        }
        assert_eq!(known.wait(client("203.0.113.7"), at(1_000)), None);
    }

    #[test]
    fn nobody_waits_for_the_mistakes_of_another_address() {
        let known = after(50, "2001:db8::");
        assert_eq!(known.wait(client("2001:db8:0:1::"), at(0)), None);
        assert_eq!(known.wait(None, at(0)), None);
    }

    #[test]
    fn behind_loopback_every_key_is_looked_at_and_a_wrong_one_told_to_wait() {
        for address in ["127.0.0.1", "::1"] {
            let known = after(50, address);
            assert_eq!(known.wait(client(address), at(0)), None);
            assert!(known.note(client(address), &key(51), at(1)).is_some());
        }
    }

    #[test]
    fn mistakes_are_forgotten_and_a_clock_that_was_set_makes_nobody_wait() {
        let quarter = 15 * 60 * 1_000;
        let known = after(50, "203.0.113.7");
        known.note(client("203.0.113.7"), &key(51), at(quarter));
        assert_eq!(known.wait(client("203.0.113.7"), at(quarter)), None);
        let known = after(50, "203.0.113.7");
        assert_eq!(known.wait(client("203.0.113.7"), at(-1)), None);
    }

    #[test]
    fn a_program_that_presents_the_same_wrong_keys_for_ever_keeps_its_neighbours_from_nothing() {
        let (address, known) = (client("203.0.113.7"), WrongKeys::default());
        let said: Vec<_> =
            (0..1_000).map(|number| known.note(address, &key(number % 2), at(0)).is_some()).collect();
        assert_eq!((said[4], said[5], said[999]), (false, true, true), "it is told to wait");
        assert_eq!(known.wait(address, at(0)), None);
        for number in 2..5 {
            known.note(address, &key(number), at(0));
        }
        assert!(known.wait(address, at(0)).is_some(), "five different ones are guesses");
    }

    #[test]
    fn any_number_of_addresses_is_known_in_bounded_memory_and_the_latest_are() {
        let known = WrongKeys::default();
        for number in 0..10_000_u32 {
            let address = Some(IpAddr::from(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number)));
            for guess in 0..6 {
                known.note(address, &key(guess), at(i64::from(number)));
            }
        }
        let inside = known.lock();
        assert_eq!((inside.clients.len(), inside.quietest.len()), (MOST, MOST));
        drop(inside);
        assert!(known.wait(client("10.0.39.15"), at(10_000)).is_some());
    }

    #[test]
    fn a_flood_is_two_lines_of_the_log() {
        let known = WrongKeys::default();
        for moment in 0..2_000 {
            known.note(client("203.0.113.7"), &key(0), at(moment / 2));
        }
        let told = || {
            let inside = known.lock();
            (inside.keys.unsaid, inside.keys.said)
        };
        assert_eq!(told(), (1_999, Some(at(0))));
        known.tell(at(9_999));
        assert_eq!(told(), (1_999, Some(at(0))));
        known.tell(at(10_000));
        assert_eq!(told(), (0, Some(at(10_000))));
    }
}
