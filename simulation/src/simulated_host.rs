//! What the program's drivers have of the world: tasks among all others, and alarms that ring when the world lets them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use application::ports::Clock;
use domain::Timestamp;
use driver::{Host, Work};
use host::SetClock;
use tokio::sync::Notify;

use crate::dice::Dice;

/// What a steady clock shows, which began with the world.
pub(crate) fn shown(steady: &SetClock) -> Duration {
    Duration::try_from(steady.now().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
}

/// The host of one process, shared by its drivers.
#[derive(Clone)]
pub(crate) struct SimulatedHost {
    steady: Arc<SetClock>,
    lent: Arc<Mutex<Lent>>,
    /// Whoever rests here looks again once something has changed; elsewhere a signal must say so, and one that is lost
    /// stays lost.
    looks_after_changes: bool,
}

#[derive(Default)]
struct Lent {
    spawned: Vec<(&'static str, Work)>,
    alarms: Vec<Alarm>,
    /// Something changed, the clock perhaps, while nobody rested who would look for it.
    unseen: bool,
}

struct Alarm {
    /// Gone once nobody waits for it any more.
    bell: Weak<Notify>,
    /// Counted from the world's beginning; `None`: nothing is foreseen.
    due: Option<Duration>,
    rest: Option<Rest>,
}

/// A wait that may end early.
#[derive(Clone, Copy)]
struct Rest {
    longest: Duration,
    after_changes: bool,
    /// Whoever rests will have looked before it has been this long.
    is_cut: bool,
}

impl SimulatedHost {
    pub(crate) fn new(steady: Arc<SetClock>) -> Self {
        Self { steady, lent: Arc::default(), looks_after_changes: false }
    }

    /// The same one, for a driver that no signal reaches.
    pub(crate) fn looking_after_changes(&self) -> Self {
        Self { looks_after_changes: true, ..self.clone() }
    }

    /// What was to be done since this was last asked.
    pub(crate) fn take_spawned(&self) -> Vec<(&'static str, Work)> {
        std::mem::take(&mut self.lent().spawned)
    }

    /// When the next alarm rings.
    pub(crate) fn next_alarm(&self) -> Option<Duration> {
        let mut lent = self.lent();
        lent.alarms.retain(|alarm| alarm.bell.strong_count() > 0);
        lent.alarms.iter().filter_map(|alarm| alarm.due).min()
    }

    /// Rings the next alarm.
    pub(crate) fn ring(&self) {
        let mut lent = self.lent();
        let dues = lent.alarms.iter().enumerate().filter_map(|(place, alarm)| Some((alarm.due?, place)));
        if let Some((_, place)) = dues.min()
            && let Some(bell) = lent.alarms.remove(place).bell.upgrade()
        {
            bell.notify_one();
        }
    }

    /// What anyone foresaw is wrong: no rest takes longer than it may.
    pub(crate) fn clock_was_set(&self) {
        let elapsed = shown(&self.steady);
        let mut lent = self.lent();
        lent.unseen = true;
        for alarm in &mut lent.alarms {
            if let Some(rest) = alarm.rest {
                alarm.end_by(elapsed + rest.longest);
            }
        }
    }

    /// Who looks for changes by itself sees this one before its longest rest is over.
    pub(crate) fn something_changed(&self, dice: &mut Dice) {
        let elapsed = shown(&self.steady);
        let mut lent = self.lent();
        let Lent { alarms, unseen, .. } = &mut *lent;
        *unseen = true;
        for alarm in alarms.iter_mut().filter(|alarm| alarm.bell.strong_count() > 0) {
            if let Some(rest) = alarm.rest.as_mut().filter(|rest| rest.after_changes) {
                *unseen = false;
                if !std::mem::replace(&mut rest.is_cut, true) {
                    let by = elapsed + dice.up_to(rest.longest);
                    alarm.end_by(by);
                }
            }
        }
    }

    fn set(&self, after: Option<Duration>, rest: Option<Rest>) -> Work {
        let bell = Arc::new(Notify::new());
        // The clocks here tell microseconds: a part of one would never be over.
        let due = after.map(|after| {
            let micros = u64::try_from(after.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX);
            shown(&self.steady).saturating_add(Duration::from_micros(micros))
        });
        self.lent().alarms.push(Alarm { bell: Arc::downgrade(&bell), due, rest });
        Box::pin(async move { bell.notified().await })
    }

    fn lent(&self) -> MutexGuard<'_, Lent> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for SimulatedHost {
    fn spawn(&self, name: &'static str, work: Work) {
        self.lent().spawned.push((name, work));
    }

    fn sleep(&self, time: Duration) -> Work {
        self.set(Some(time), None)
    }

    fn rest(&self, foreseen: Option<Duration>, longest: Duration) -> Work {
        let after_changes = self.looks_after_changes;
        let is_cut = after_changes && std::mem::take(&mut self.lent().unseen);
        let after = if is_cut { Some(foreseen.unwrap_or(longest).min(longest)) } else { foreseen };
        self.set(after, Some(Rest { longest, after_changes, is_cut }))
    }
}

impl Alarm {
    fn end_by(&mut self, time: Duration) {
        self.due = Some(self.due.map_or(time, |due| due.min(time)));
    }
}
