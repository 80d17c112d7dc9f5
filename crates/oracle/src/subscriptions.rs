//! Subscriptions: whole versions, asked once a generation, told only once somebody said yes, suspended with cause.

use std::fmt;
use std::time::Duration;

use crate::{Promise, Violation};

/// Who fails is suspended after so long. Source: `docs/OPERATIONS.md`, "What follows from failures".
const FAILS_AT_LEAST_FOR: Duration = Duration::from_hours(5 * 24);
/// And after so many failures at least. Source: the same.
const FAILS_AT_LEAST: u32 = 10;

/// The state of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum State {
    Pending,
    Confirmed,
    Suspended,
    Ended,
}

/// A version of a subscription, by the places in the orders' log that it holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: i64,
    /// The last; `None` while it holds.
    pub to: Option<i64>,
}

/// The confirmation requests of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// How many were made.
    pub made: u32,
    /// How many its generation says were made.
    pub generation: u32,
    /// The newest was cancelled, and by no person.
    pub taken_back: bool,
    /// It waits for an answer, and has not lapsed.
    pub awaited: bool,
}

impl State {
    /// Every state there is.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Confirmed, Self::Suspended, Self::Ended];

    /// Its name in a store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
        }
    }

    /// What a state's name in a store says; `None` of an unknown name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// How far it has come: who is suspended was confirmed.
    fn progress(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Confirmed | Self::Suspended => 1,
            Self::Ended => 2,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Versions, in the order of what they hold for, neither overlap, nor leave orders out, nor end.
#[must_use]
pub fn whole(versions: &[Span]) -> Option<Violation> {
    let broken = |wrong| Some(Promise::VersionsWhole.broken(wrong));
    let Some(last) = versions.last() else { return broken("it has no version".to_owned()) };
    let backwards = versions.iter().find(|version| version.to.is_some_and(|to| to < version.from));
    if let Some(Span { from, .. }) = backwards {
        return broken(format!("its version from order {from} ends before it begins"));
    }
    for (version, next) in versions.iter().zip(versions.iter().skip(1)) {
        let (from, next) = (version.from, next.from);
        match version.to {
            Some(to) if to.checked_add(1) == Some(next) => {}
            Some(to) if to < next => {
                return broken(format!("no version holds between orders {to} and {next}"));
            }
            _ => return broken(format!("its versions from orders {from} and {next} overlap")),
        }
    }
    last.to.and_then(|to| broken(format!("no version holds for the orders after {to}")))
}

/// A subscription is as its last version says.
#[must_use]
pub fn as_last_version(state: State, last: State, same_policy: bool) -> Option<Violation> {
    let wrong = if state != last {
        format!("it is {state}, its last version {last}")
    } else if same_policy {
        return None;
    } else {
        "its filter policy is not that of its last version".to_owned()
    };
    Some(Promise::AsLastVersion.broken(wrong))
}

/// Each generation of a subscription was asked once, and one that waits for its answer was not taken back.
#[must_use]
pub fn asked(requests: Requests) -> Option<Violation> {
    let Requests { made, generation, taken_back, awaited } = requests;
    if made != generation {
        let wrong = format!("it is of generation {generation}, and {made} confirmations are on record");
        return Some(Promise::AskedAndConfirmed.broken(wrong));
    }
    let wrong = "it is pending, and its newest confirmation is cancelled";
    (taken_back && awaited).then(|| Promise::StateExplained.broken(wrong))
}

/// Who is confirmed said yes, `outside` the sandbox or where that is all there is (`in_sandbox`). `None` of `outside`: nobody
/// said it.
#[must_use]
pub fn confirmed(outside: Option<bool>, in_sandbox: bool) -> Option<Violation> {
    let wrong = match outside {
        None => "it was confirmed, and nobody had said yes",
        Some(false) if !in_sandbox => "it was confirmed by what was said in the sandbox",
        Some(_) => return None,
    };
    Some(Promise::AskedAndConfirmed.broken(wrong))
}

/// What was answered of a subscription stays so: it only goes on, and an end is for good. Where it can lapse with the sandbox,
/// it may be pending again.
#[must_use]
pub fn stays(answered: State, found: Option<State>, lapses: bool) -> Option<Violation> {
    let stays = found.is_some_and(|found| {
        found.progress() >= answered.progress()
            || lapses && found == State::Pending && answered != State::Ended
    });
    (!stays).then(|| {
        let found = found.map_or("not there", State::name);
        Promise::StateStays.broken(format!("it was answered to be {answered}, and is {found}"))
    })
}

/// Whom the program suspends by itself failed so often, for so long.
#[must_use]
pub fn suspended(times: u32, lasted: Duration) -> Option<Violation> {
    let with_cause = times >= FAILS_AT_LEAST && lasted >= FAILS_AT_LEAST_FOR;
    (!with_cause).then(|| {
        let wrong = format!("it was suspended after {times} failures in {lasted:?}");
        Promise::SuspendedWithCause.broken(wrong)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(spans: &[(i64, Option<i64>)]) -> Option<Violation> {
        whole(&spans.iter().map(|(from, to)| Span { from: *from, to: *to }).collect::<Vec<_>>())
    }

    #[test]
    fn versions_follow_one_another_without_a_gap_and_the_last_has_no_end() {
        assert_eq!(versions(&[(1, None)]), None);
        assert_eq!(versions(&[(3, Some(3)), (4, Some(9)), (10, None)]), None);
    }

    #[test]
    fn what_is_broken_about_versions_is_told_with_the_orders_it_concerns() {
        let told = |spans: &[(i64, Option<i64>)]| versions(spans).map_or_else(String::new, |it| it.wrong);
        assert_eq!(told(&[]), "it has no version");
        assert_eq!(told(&[(1, Some(4)), (6, None)]), "no version holds between orders 4 and 6");
        assert_eq!(told(&[(1, Some(4)), (4, None)]), "its versions from orders 1 and 4 overlap");
        assert_eq!(told(&[(1, None), (4, None)]), "its versions from orders 1 and 4 overlap");
        assert_eq!(told(&[(1, Some(4))]), "no version holds for the orders after 4");
        assert_eq!(told(&[(5, Some(4)), (5, None)]), "its version from order 5 ends before it begins");
    }

    #[test]
    fn a_subscription_goes_on_and_an_end_is_for_good() {
        let stays = |answered, found, lapses| stays(answered, found, lapses).is_none();
        assert!(stays(State::Confirmed, Some(State::Suspended), false));
        assert!(stays(State::Suspended, Some(State::Confirmed), false));
        assert!(!stays(State::Ended, Some(State::Confirmed), false));
        assert!(!stays(State::Confirmed, Some(State::Pending), false));
        assert!(stays(State::Confirmed, Some(State::Pending), true));
        assert!(!stays(State::Ended, Some(State::Pending), true));
        assert!(!stays(State::Pending, None, true));
    }

    #[test]
    fn a_confirmation_is_somebodys_yes_and_a_suspension_has_its_cause() {
        assert_eq!(confirmed(Some(true), false), None);
        assert_eq!(confirmed(Some(false), true), None);
        assert!(confirmed(Some(false), false).is_some() && confirmed(None, true).is_some());
        let days = |days: u64| Duration::from_hours(days * 24);
        assert_eq!(suspended(10, days(5)), None);
        assert!(suspended(9, days(50)).is_some() && suspended(100, days(4)).is_some());
    }

    #[test]
    fn each_generation_is_asked_once_and_not_taken_back_while_it_is_awaited() {
        let one = Requests { made: 1, generation: 1, taken_back: false, awaited: true };
        assert_eq!(asked(one), None);
        assert_eq!(asked(Requests { taken_back: true, awaited: false, ..one }), None);
        assert!(asked(Requests { taken_back: true, ..one }).is_some());
        assert!(asked(Requests { made: 2, ..one }).is_some() && asked(Requests { made: 0, ..one }).is_some());
    }
}
