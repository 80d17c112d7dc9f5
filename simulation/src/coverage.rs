//! What was reached: crash points, states, and the transitions of the state machines.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::{Result, ensure};
use application::deliver::BreakerState;
use domain::delivery::DeliveryState;
use domain::subscription::SubscriptionState;

/// What all seeds together reached.
#[derive(Default)]
pub(crate) struct Coverage {
    pub(crate) steps: u64,
    pub(crate) crashes: u64,
    /// Where it crashed: before, within or after which step.
    places: BTreeSet<String>,
    /// Where it crashed, and what was under way then.
    points: HashSet<u64>,
    states: HashSet<u64>,
    seen: BTreeSet<Transition>,
    /// How often each action was done, and some of what followed.
    happened: BTreeMap<String, u64>,
}

/// A machine's step from one state to another, by their names.
type Transition = (&'static str, String, String);

impl Coverage {
    pub(crate) fn crash(&mut self, place: String, around: impl Hash) {
        self.crashes += 1;
        self.points.insert(digest(&(&place, around)));
        self.places.insert(place);
    }

    pub(crate) fn state(&mut self, state: impl Hash) {
        self.states.insert(digest(&state));
    }

    /// Counts something that happened.
    pub(crate) fn happened(&mut self, what: impl Into<String>) {
        self.happened_often(what, 1);
    }

    /// Counts something that happened so many times.
    pub(crate) fn happened_often(&mut self, what: impl Into<String>, times: usize) {
        if times > 0 {
            *self.happened.entry(what.into()).or_default() += times as u64;
        }
    }

    /// Takes in a delivery's transition, which must be one there is.
    pub(crate) fn delivery(&mut self, was: DeliveryState, becomes: DeliveryState) -> Result<()> {
        self.transition("delivery", was, becomes, was.successors())
    }

    /// Takes in a subscription's transition, which must be one there is.
    pub(crate) fn subscription(&mut self, was: SubscriptionState, becomes: SubscriptionState) -> Result<()> {
        self.transition("subscription", was, becomes, was.successors())
    }

    /// Takes in a channel's transition, which must be one there is.
    pub(crate) fn channel(&mut self, was: BreakerState, becomes: BreakerState) -> Result<()> {
        self.transition("channel", was, becomes, was.successors())
    }

    fn transition<S: Copy + PartialEq + fmt::Display>(
        &mut self,
        machine: &'static str,
        was: S,
        becomes: S,
        successors: &[S],
    ) -> Result<()> {
        if was == becomes {
            return Ok(());
        }
        ensure!(successors.contains(&becomes), "a {machine} went from {was} to {becomes}");
        self.seen.insert((machine, was.to_string(), becomes.to_string()));
        Ok(())
    }

    /// What this and `other` reached together.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.steps += other.steps;
        self.crashes += other.crashes;
        self.places.extend(other.places);
        self.points.extend(other.points);
        self.states.extend(other.states);
        self.seen.extend(other.seen);
        for (what, times) in other.happened {
            *self.happened.entry(what).or_default() += times;
        }
        self
    }

    /// The transitions that never happened.
    pub(crate) fn missing(&self) -> Vec<String> {
        let missing = transitions().into_iter().filter(|transition| !self.seen.contains(transition));
        missing.map(|(machine, was, becomes)| format!("{machine}: {was} → {becomes}")).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "steps                    {:>12}", self.steps)?;
        writeln!(f, "crashes                  {:>12}", self.crashes)?;
        writeln!(f, "places of crashes        {:>12}", self.places.len())?;
        writeln!(f, "distinct crash points    {:>12}", self.points.len())?;
        writeln!(f, "distinct states          {:>12}", self.states.len())?;
        for (what, times) in &self.happened {
            writeln!(f, "  {what:<32} {times:>12}")?;
        }
        let all = transitions().len();
        write!(f, "transitions covered      {:>12}", format!("{} of {all}", all - self.missing().len()))
    }
}

/// Every transition there is, as the domain has them.
fn transitions() -> BTreeSet<Transition> {
    fn of<S: Copy + fmt::Display>(
        machine: &'static str,
        all: &[S],
        successors: fn(S) -> &'static [S],
    ) -> impl Iterator<Item = Transition> {
        let steps =
            |was: S| successors(was).iter().map(move |next| (machine, was.to_string(), next.to_string()));
        all.iter().copied().flat_map(steps).collect::<Vec<_>>().into_iter()
    }
    let deliveries = of("delivery", &DeliveryState::ALL, DeliveryState::successors);
    let subscriptions = of("subscription", &SubscriptionState::ALL, SubscriptionState::successors);
    let channels = of("channel", &BreakerState::ALL, BreakerState::successors);
    deliveries.chain(subscriptions).chain(channels).collect()
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
