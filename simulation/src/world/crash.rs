//! How processes end and begin.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use application::ChannelMode;
use driver::SHUTDOWN_GRACE;
use oracle::deliveries::State as DeliveryState;
use sqlite::simulation::InjectedFault;

use super::rate_limits::LastBegun;
use super::steps::Step;
use super::{ScheduledEvent, World};
use crate::process::{Process, Stage};

/// How long whoever runs the program waits for its end: twice what attempts in flight are given.
const LONGEST_END: Duration = Duration::from_secs(2 * SHUTDOWN_GRACE.as_secs());
/// How long a stopped program stays down, at most.
const DOWN: Duration = Duration::from_secs(20);

impl World<'_> {
    /// The process dies before, within or after a step.
    pub(super) fn crash_at(&mut self, step: Step) -> Result<()> {
        let around = self.around();
        let place = match step {
            Step::Poll(place) => {
                let process = self.process()?;
                let name = process.tasks.name(place);
                if self.rng.percent(50) {
                    self.process()?.tasks.poll(place);
                    format!("after {name}")
                } else {
                    format!("before {name}")
                }
            }
            Step::Commit => self.crash_at_commit()?.to_owned(),
            Step::Time => {
                format!("before {}", self.name_of_next())
            }
        };
        self.coverage.crash(place.clone(), around);
        self.die(&format!("crash {place}"))
    }

    fn crash_at_commit(&mut self) -> Result<&'static str> {
        match self.rng.below(4) {
            0 => Ok("before a commit"),
            1 => {
                let steps = u32::try_from(self.rng.below(300)).unwrap_or(0);
                self.commit(InjectedFault::Interrupted(1 + steps)).map(|()| "within a batch")
            }
            2 => self.commit(InjectedFault::Refused).map(|()| "between a batch and its commit"),
            _ => self.commit(InjectedFault::Committed).map(|()| "between a commit and its answers"),
        }
    }

    /// What is under way: a crash at the same place among other things is another crash.
    fn around(&self) -> impl std::hash::Hash + use<> {
        let process = self.process.as_ref();
        let tasks: BTreeSet<_> = process.iter().flat_map(|process| process.tasks.names()).collect();
        let breakers: Vec<_> = process.iter().flat_map(|process| process.breakers.iter().copied()).collect();
        let stage = process.map(|process| process.stage);
        let writes = process.is_some_and(|process| process.store.has_work());
        (tasks, breakers, stage, writes, self.in_flight.len().min(3))
    }

    /// Ends the process where it stands: what is in memory is gone, what is on its way may arrive or not.
    pub(super) fn die(&mut self, why: &str) -> Result<()> {
        self.say(|| format!("the process dies: {why}"));
        let process = self.process.take().context("only a living process dies")?;
        self.disk = Some(process.store.die()?);
        for (key, event) in std::mem::take(&mut self.coming) {
            match event {
                ScheduledEvent::Arrive { message_in_transit, .. } => {
                    if self.rng.percent(50) {
                        self.coming
                            .insert(key, ScheduledEvent::Arrive { message_in_transit, awaited: false });
                    }
                }
                other if other.dies_with_process() => {}
                other => {
                    self.coming.insert(key, other);
                }
            }
        }
        self.in_flight.clear();
        self.probing.clear();
        self.last_begun = LastBegun::default();
        self.facts.giving_up = 0;
        self.clients_lose_their_answers();
        let down = self.rng.up_to(DOWN);
        self.plan(down, ScheduledEvent::Start);
        Ok(())
    }

    /// The program starts on what the last process left.
    pub(super) fn start(&mut self) -> Result<()> {
        if self.scenario.sandbox && self.rng.percent(30) {
            self.say(|| "real providers are configured".to_owned());
            self.modes.values_mut().for_each(|mode| *mode = ChannelMode::Live);
        }
        let disk = self.disk.take().context("two processes at once")?;
        let waiting = self.scenario.waiting_orders;
        let (clock, randomness) = (Arc::clone(&self.clock), Arc::clone(&self.randomness));
        let (channels, steady) = ((self.channels, &self.modes), Arc::clone(&self.steady));
        self.process = Some(Process::start(disk, waiting, channels, clock, steady, randomness)?);
        Ok(())
    }

    /// The past is settled: the program works.
    pub(super) fn started(&mut self) -> Result<()> {
        let open = self.facts.deliveries.values().find(|delivery| delivery.state == DeliveryState::InFlight);
        ensure!(open.is_none(), "an attempt of the last process was left open");
        let channels = self.channels;
        self.process()?.work(channels);
        self.reexamine()
    }

    /// The program is asked to end.
    pub(super) fn stop(&mut self) -> Result<()> {
        if self.process.as_ref().is_some_and(|process| process.stage == Stage::Up) {
            self.process()?.stop();
            self.grace_ends = self.elapsed() + SHUTDOWN_GRACE;
            self.plan(LONGEST_END, ScheduledEvent::LongestEnd);
        }
        Ok(())
    }

    /// Ends a process that was asked to end and is done.
    pub(super) fn end_if_drained(&mut self) -> Result<()> {
        if self.process.as_ref().is_some_and(Process::is_drained) {
            let open =
                self.facts.deliveries.values().find(|delivery| delivery.state == DeliveryState::InFlight);
            let grace_is_over = self.grace_ends <= self.elapsed();
            ensure!(
                open.is_none() || grace_is_over,
                "it ended in good order and left an attempt open before its grace was over"
            );
            self.die("it is done")?;
        }
        Ok(())
    }
}
