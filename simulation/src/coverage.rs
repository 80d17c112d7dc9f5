//! What was reached: crash points, states, and the transitions of the state machines.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

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
type Transition = (&'static str, &'static str, &'static str);

/// Every transition there is, as the domain has them.
static TRANSITIONS: LazyLock<BTreeSet<Transition>> = LazyLock::new(transitions);

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

    /// Takes in a transition, which must be one there is.
    pub(crate) fn transition(
        &mut self,
        machine: &'static str,
        was: &'static str,
        becomes: &'static str,
    ) -> Result<()> {
        if was != becomes {
            let transition = (machine, was, becomes);
            ensure!(TRANSITIONS.contains(&transition), "a {machine} went from {was} to {becomes}");
            self.seen.insert(transition);
        }
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
        let missing = TRANSITIONS.difference(&self.seen);
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
        let all = TRANSITIONS.len();
        write!(f, "transitions covered      {:>12}", format!("{} of {all}", all - self.missing().len()))
    }
}

fn transitions() -> BTreeSet<Transition> {
    fn of<S: Copy>(
        machine: &'static str,
        all: &[S],
        name: fn(S) -> &'static str,
        successors: fn(S) -> &'static [S],
    ) -> Vec<Transition> {
        let steps = |was| successors(was).iter().map(move |next| (machine, name(was), name(*next)));
        all.iter().copied().flat_map(steps).collect()
    }
    let deliveries = of("delivery", &DeliveryState::ALL, DeliveryState::name, DeliveryState::successors);
    let subscriptions =
        of("subscription", &SubscriptionState::ALL, SubscriptionState::name, SubscriptionState::successors);
    let channels = of("channel", &BreakerState::ALL, BreakerState::name, BreakerState::successors);
    [deliveries, subscriptions, channels].concat().into_iter().collect()
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
