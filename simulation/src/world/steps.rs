//! The next step: of all that can happen now, chance picks one.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use application::ErrorKind;
use sqlite::simulation::InjectedFault;

use super::{MOST_STEPS, STEPS_PER_ENDPOINT, ScheduledEvent, World};
use crate::process::{Stage, TaskOutput};
use crate::scenario::Action;

/// What can happen next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A task goes on.
    Poll(usize),
    /// The writer takes what waits.
    Commit,
    /// The time has come for something.
    Time,
}

/// How long a task or a commit takes, at most.
const MOMENT: Duration = Duration::from_micros(500);

impl World<'_> {
    /// Takes one step; answers whether there was one to take.
    pub(super) fn step(&mut self) -> Result<bool> {
        let Some(step) = self.choose() else { return Ok(false) };
        self.steps += 1;
        let most = MOST_STEPS.max(self.receivers.len() as u64 * STEPS_PER_ENDPOINT);
        ensure!(self.steps < most, "the world does not come to rest");
        if !self.healed && self.process.is_some() && self.rng.permille(self.scenario.crashes) {
            self.crash_at(step)?;
        } else {
            self.take(step)?;
        }
        self.hear()?;
        self.end_if_drained()?;
        Ok(true)
    }

    fn choose(&mut self) -> Option<Step> {
        let mut open = Vec::new();
        if let Some(process) = &self.process {
            open.extend(process.tasks.ready().map(Step::Poll));
            if process.store.has_work() {
                open.push(Step::Commit);
            }
        }
        let next = self.next_time();
        let until_next = next.map(|at| at.saturating_sub(self.elapsed()));
        // Now and then what could go on waits, while time passes.
        let stalls = until_next.is_some_and(|time| time < Duration::from_secs(5)) && self.rng.percent(2);
        if until_next == Some(Duration::ZERO) || stalls {
            open.push(Step::Time);
        }
        if stalls || open.is_empty() {
            self.pass(until_next?);
            return Some(Step::Time);
        }
        let took = self.rng.up_to(MOMENT);
        self.pass(took);
        Some(self.rng.pick(&open))
    }

    /// When something happens by itself.
    fn next_time(&self) -> Option<Duration> {
        self.next_happening().into_iter().chain(self.next_timer()).min()
    }

    fn next_happening(&self) -> Option<Duration> {
        self.coming.first_key_value().map(|((at, _), _)| *at)
    }

    fn next_timer(&self) -> Option<Duration> {
        self.process.as_ref()?.runtime.next_timer()
    }

    /// Whether what comes next is an alarm of the program's.
    fn an_alarm_is_next(&self) -> bool {
        let event = self.next_happening();
        self.next_timer().is_some_and(|alarm| event.is_none_or(|event| alarm < event))
    }

    /// What comes next, for crash points.
    pub(super) fn name_of_next(&self) -> String {
        if self.an_alarm_is_next() {
            return "an alarm".to_owned();
        }
        self.coming.first_key_value().map(|(_, event)| event.name()).unwrap_or_default()
    }

    pub(super) fn take(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Poll(place) => {
                let process = self.process()?;
                let name = process.tasks.name(place);
                let told = process.tasks.poll(place);
                self.say(|| {
                    format!(
                        "{name}: {}",
                        told.as_ref().map_or_else(|| "…".to_owned(), |told| format!("{told:?}"))
                    )
                });
                self.attend()?;
                told.map_or(Ok(()), |told| self.told(told))
            }
            Step::Commit => {
                let fate = self.fate();
                self.commit(fate)
            }
            Step::Time => self.time_has_come(),
        }
    }

    pub(super) fn commit(&mut self, fate: InjectedFault) -> Result<()> {
        self.say(|| format!("commit: {fate:?}"));
        let before = self.last_entry;
        self.process()?.store.turn(fate)?;
        self.learn()?;
        let changed = self.last_entry != before;
        ensure!(
            !changed || matches!(fate, InjectedFault::Committed | InjectedFault::Full),
            "a commit that failed changed something"
        );
        Ok(())
    }

    fn fate(&mut self) -> InjectedFault {
        if self.healed || !self.rng.permille(self.scenario.store_trouble) {
            return InjectedFault::Committed;
        }
        match self.rng.below(8) {
            0..3 if self.scenario.full => InjectedFault::Full,
            0..6 => InjectedFault::Refused,
            6 => InjectedFault::Broken,
            _ => InjectedFault::Interrupted(1 + u32::try_from(self.rng.below(200)).unwrap_or(0)),
        }
    }

    fn time_has_come(&mut self) -> Result<()> {
        if self.an_alarm_is_next() {
            self.say(|| "an alarm rings".to_owned());
            self.process()?.runtime.fire_next_timer();
            return Ok(());
        }
        let Some((_, event)) = self.coming.pop_first() else { return Ok(()) };
        self.say(|| format!("{event:?}"));
        self.happen(event)
    }

    fn happen(&mut self, event: ScheduledEvent) -> Result<()> {
        match event {
            ScheduledEvent::Action(action) => self.action(action),
            ScheduledEvent::Start => self.start(),
            ScheduledEvent::PlaceOrder(client) => self.place(client),
            ScheduledEvent::Confirm { token, subscription, proven } => {
                self.confirm(token, subscription, proven);
                Ok(())
            }
            ScheduledEvent::Unsubscribe { token } => {
                self.unsubscribe(token);
                Ok(())
            }
            ScheduledEvent::Arrive { message_in_transit, awaited } => {
                self.arrive(&message_in_transit, awaited)
            }
            ScheduledEvent::Answer(delivery, answer) => {
                self.record_answer(delivery, answer);
                Ok(())
            }
            ScheduledEvent::ProbeAnswer(protocol, answer) => {
                self.probe_answers(protocol, answer);
                Ok(())
            }
            ScheduledEvent::TellOperators => self.notify_operators(),
            ScheduledEvent::Reexamine => self.reexamine(),
            ScheduledEvent::Receipt { delivery, attempt, receipt } => self.report(delivery, attempt, receipt),
            ScheduledEvent::LongestEnd => bail!("it was asked to end and does not come to its end"),
        }
    }

    fn told(&mut self, told: TaskOutput) -> Result<()> {
        match told {
            TaskOutput::Started(Ok(())) => self.started(),
            TaskOutput::Started(Err(error)) => {
                self.expect_trouble(&error)?;
                self.die("it could not start")
            }
            TaskOutput::StoreFailed => self.die("its store failed"),
            TaskOutput::Ended(driver) => {
                let process = self.process()?;
                process.driven -= 1;
                ensure!(process.stage == Stage::Draining, "{driver} came to its end by itself");
                Ok(())
            }
            TaskOutput::BrokeOff(driver) => bail!("{driver} broke off"),
            TaskOutput::Over => {
                self.process()?.driven -= 1;
                Ok(())
            }
            TaskOutput::Kept(delivery, sent) => {
                self.record_answer(delivery, Some(sent));
                Ok(())
            }
            TaskOutput::Placed { client, request, answer } => self.placed(client, &request, &answer),
            TaskOutput::Subscribed(answer) => self.answered(answer.as_ref().err()),
            TaskOutput::Changed(what, answer) => self.changed(what, &answer),
            TaskOutput::Done(answer) => self.answered(answer.as_ref().err()),
            TaskOutput::Dropped(answer) => {
                self.facts.giving_up -= 1;
                self.answered(answer.as_ref().err())
            }
            TaskOutput::Reexamined(answer) => self.reexamined(answer),
            TaskOutput::Noticed(told) => self.operators_told(told.as_ref().err()),
        }
    }

    /// Without trouble nothing fails inside.
    pub(super) fn expect_trouble(&self, error: &application::Error) -> Result<()> {
        let internal =
            matches!(error.kind, ErrorKind::Internal | ErrorKind::StorageFull | ErrorKind::Unavailable);
        let trouble = self.scenario.store_trouble > 0;
        ensure!(!internal || trouble, "an error without a cause: {error} {}", error.cause());
        Ok(())
    }

    pub(super) fn answered(&mut self, error: Option<&application::Error>) -> Result<()> {
        error.map_or(Ok(()), |error| self.expect_trouble(error))
    }
}

impl ScheduledEvent {
    /// What is over when the process dies.
    pub(super) fn dies_with_process(&self) -> bool {
        matches!(
            self,
            Self::Answer(..)
                | Self::ProbeAnswer(..)
                | Self::TellOperators
                | Self::Reexamine
                | Self::LongestEnd
        )
    }

    /// Its name, for crash points.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Action(action) => format!("{action:?}"),
            Self::Arrive { .. } => "Arrive".to_owned(),
            Self::Answer(..) => "Answer".to_owned(),
            Self::ProbeAnswer(..) => "ProbeAnswer".to_owned(),
            Self::Confirm { .. } => "Confirm".to_owned(),
            Self::Unsubscribe { .. } => "Unsubscribe".to_owned(),
            Self::Receipt { .. } => "Receipt".to_owned(),
            Self::PlaceOrder(_) => format!("{:?}", Action::PlaceOrder),
            other => format!("{other:?}"),
        }
    }
}
