//! What the program's drivers run on: their tasks, and timers that fire when the world lets them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use application::ports::Clock;
use domain::Timestamp;
use driver::{BoxedTask, Runtime};
use host::SetClock;
use tokio::sync::Notify;

use crate::rng::SeededRng;

/// What a steady clock shows, which began with the world.
pub(crate) fn shown(steady: &SetClock) -> Duration {
    Duration::try_from(steady.now().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
}

/// The runtime of one process, shared by its drivers.
#[derive(Clone)]
pub(crate) struct SimulatedRuntime {
    steady: Arc<SetClock>,
    state: Arc<Mutex<RuntimeState>>,
    /// Whoever rests here looks again once something has changed; elsewhere a signal must say so, and one that is lost
    /// stays lost.
    looks_after_changes: bool,
}

#[derive(Default)]
struct RuntimeState {
    spawned: Vec<(&'static str, BoxedTask)>,
    timers: Vec<Timer>,
    /// Something changed, the clock perhaps, while nobody rested who would look for it.
    unseen: bool,
}

struct Timer {
    /// Gone once nobody waits for it any more.
    wakeup: Weak<Notify>,
    /// Counted from the world's beginning; `None`: nothing is due.
    due: Option<Duration>,
    sleep: Option<PollingSleep>,
}

/// A wait that may end early.
#[derive(Clone, Copy)]
struct PollingSleep {
    max: Duration,
    after_changes: bool,
    /// Whoever rests will have looked before it has been this long.
    is_cut: bool,
}

impl SimulatedRuntime {
    pub(crate) fn new(steady: Arc<SetClock>) -> Self {
        Self { steady, state: Arc::default(), looks_after_changes: false }
    }

    /// The same one, for a driver that no signal reaches.
    pub(crate) fn looking_after_changes(&self) -> Self {
        Self { looks_after_changes: true, ..self.clone() }
    }

    /// What was to be done since this was last asked.
    pub(crate) fn take_spawned(&self) -> Vec<(&'static str, BoxedTask)> {
        std::mem::take(&mut self.state().spawned)
    }

    /// When the next timer fires.
    pub(crate) fn next_timer(&self) -> Option<Duration> {
        let mut state = self.state();
        state.timers.retain(|timer| timer.wakeup.strong_count() > 0);
        state.timers.iter().filter_map(|timer| timer.due).min()
    }

    /// Fires the next timer.
    pub(crate) fn fire_next_timer(&self) {
        let mut state = self.state();
        let dues = state.timers.iter().enumerate().filter_map(|(place, timer)| Some((timer.due?, place)));
        if let Some((_, place)) = dues.min()
            && let Some(wakeup) = state.timers.remove(place).wakeup.upgrade()
        {
            wakeup.notify_one();
        }
    }

    /// What anyone foresaw is wrong: no sleep takes longer than it may.
    pub(crate) fn clock_was_set(&self) {
        let elapsed = shown(&self.steady);
        let mut state = self.state();
        state.unseen = true;
        for timer in &mut state.timers {
            if let Some(sleep) = timer.sleep {
                timer.end_by(elapsed + sleep.max);
            }
        }
    }

    /// Who looks for changes by itself sees this one before its longest sleep is over.
    pub(crate) fn something_changed(&self, rng: &mut SeededRng) {
        let elapsed = shown(&self.steady);
        let mut state = self.state();
        let RuntimeState { timers, unseen, .. } = &mut *state;
        *unseen = true;
        for timer in timers.iter_mut().filter(|timer| timer.wakeup.strong_count() > 0) {
            if let Some(sleep) = timer.sleep.as_mut().filter(|sleep| sleep.after_changes) {
                *unseen = false;
                if !std::mem::replace(&mut sleep.is_cut, true) {
                    let by = elapsed + rng.up_to(sleep.max);
                    timer.end_by(by);
                }
            }
        }
    }

    fn set(&self, after: Option<Duration>, sleep: Option<PollingSleep>) -> BoxedTask {
        let wakeup = Arc::new(Notify::new());
        // The clocks here tell microseconds: a part of one would never be over.
        let due = after.map(|after| {
            let micros = u64::try_from(after.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX);
            shown(&self.steady).saturating_add(Duration::from_micros(micros))
        });
        self.state().timers.push(Timer { wakeup: Arc::downgrade(&wakeup), due, sleep });
        Box::pin(async move { wakeup.notified().await })
    }

    fn state(&self) -> MutexGuard<'_, RuntimeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime for SimulatedRuntime {
    fn spawn(&self, name: &'static str, work: BoxedTask) {
        self.state().spawned.push((name, work));
    }

    fn sleep(&self, time: Duration) -> BoxedTask {
        self.set(Some(time), None)
    }

    fn sleep_until_due(&self, due_in: Option<Duration>, max: Duration) -> BoxedTask {
        let after_changes = self.looks_after_changes;
        let is_cut = after_changes && std::mem::take(&mut self.state().unseen);
        let after = if is_cut { Some(due_in.unwrap_or(max).min(max)) } else { due_in };
        self.set(after, Some(PollingSleep { max, after_changes, is_cut }))
    }
}

impl Timer {
    fn end_by(&mut self, time: Duration) {
        self.due = Some(self.due.map_or(time, |due| due.min(time)));
    }
}
