//! Runs one step after the other, or two at once, with their times and the tests they counted.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::both::both;
use crate::counts::Counts;
use crate::runner::Runner;

/// What ran so far.
pub(crate) struct Steps {
    start: Instant,
    done: Vec<Step>,
    counts: Counts,
}

/// One step that came to its end.
struct Step {
    name: &'static str,
    time: Duration,
    succeeded: bool,
}

/// Runs the steps of `work`; the first one that fails ends it. Then prints what ran, how long it took, and how the tests
/// went.
///
/// # Errors
/// A step failed.
pub(crate) fn in_steps(work: impl FnOnce(&mut Steps) -> Result<()>) -> Result<()> {
    let mut steps = Steps { start: Instant::now(), done: Vec::new(), counts: Counts::default() };
    let outcome = work(&mut steps);
    steps.sum_up();
    outcome
}

impl Steps {
    /// Runs `work` as a step of that name.
    pub(crate) fn step<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("\n== {name}");
        let (step, outcome) = timed(name, work);
        self.done.push(step);
        outcome
    }

    /// Runs two steps side by side; both come to their end.
    pub(crate) fn beside<A: Send, B>(
        &mut self,
        first: (&'static str, impl FnOnce() -> Result<A> + Send),
        second: (&'static str, impl FnOnce() -> Result<B>),
    ) -> Result<(A, B)> {
        eprintln!("\n== {}, and {} beside it", first.0, second.0);
        let (first, second) = both(|| Ok(timed(first.0, first.1)), || Ok(timed(second.0, second.1)))?;
        self.done.extend([first.0, second.0]);
        Ok((first.1?, second.1?))
    }

    /// Runs a command that must succeed.
    pub(crate) fn run(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        self.step(name, || succeed(command))
    }

    /// Runs a command that runs tests by that runner, and counts them. All must run: an ignored one is a failure.
    pub(crate) fn tests(&mut self, name: &'static str, command: &mut Command, runner: Runner) -> Result<()> {
        let mut counts = Counts::default();
        let outcome = self.step(name, || count_tests(command, runner, &mut counts));
        self.counts.passed += counts.passed;
        self.counts.failed += counts.failed;
        outcome
    }

    fn sum_up(&self) {
        eprintln!("\n== summary");
        for step in &self.done {
            eprintln!("{step}");
        }
        eprintln!("{:>8.1} s  in all", self.start.elapsed().as_secs_f64());
        if self.counts != Counts::default() {
            eprintln!("{} passed, {} failed", self.counts.passed, self.counts.failed);
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = if self.succeeded { "" } else { ": FAILED" };
        write!(f, "{:>8.1} s  {}{outcome}", self.time.as_secs_f64(), self.name)
    }
}

fn timed<T>(name: &'static str, work: impl FnOnce() -> Result<T>) -> (Step, Result<T>) {
    let start = Instant::now();
    let outcome = work().with_context(|| format!("{name} failed"));
    let step = Step { name, time: start.elapsed(), succeeded: outcome.is_ok() };
    eprintln!("== {step}");
    (step, outcome)
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be started, or ends with another status than 0.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting {}", command.get_program().display()))?;
    ensure!(status.success(), "{} ended with {status}", command.get_program().display());
    Ok(())
}

fn count_tests(command: &mut Command, runner: Runner, counts: &mut Counts) -> Result<()> {
    let mut child = runner.told(command, Stdio::piped()).spawn().context("starting the tests")?;
    let output = runner.output(&mut child).context("the tests' output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        eprintln!("{line}");
        counts.add(&line);
    }
    let status = child.wait()?;
    ensure!(counts.ignored == 0, "{} tests were ignored", counts.ignored);
    if !status.success() {
        bail!("{} tests failed", counts.failed);
    }
    ensure!(counts.passed > 0, "no test ran");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_tests(closing_line: &str) -> Result<()> {
        let mut echo = Command::new("echo");
        in_steps(|steps| steps.tests("tests", echo.arg(closing_line), Runner::Cargo))
    }

    #[test]
    fn an_ignored_test_fails_the_step() {
        assert!(run_tests("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured").is_ok());
        let error = run_tests("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured").unwrap_err();
        assert_eq!(format!("{error:#}"), "tests failed: 1 tests were ignored");
    }

    #[test]
    fn a_step_in_which_no_test_ran_fails() {
        assert!(run_tests("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured").is_err());
        assert!(run_tests("all is well").is_err());
    }

    #[test]
    fn a_command_that_fails_fails_the_step() {
        assert!(in_steps(|steps| steps.run("false", &mut Command::new("false"))).is_err());
        assert!(in_steps(|steps| steps.run("true", &mut Command::new("true"))).is_ok());
    }

    #[test]
    fn of_two_steps_side_by_side_either_may_fail() {
        let ends = |first: bool, second: bool| {
            let end = |well: bool| move || if well { Ok(()) } else { bail!("no") };
            in_steps(|steps| steps.beside(("first", end(first)), ("second", end(second))).map(drop))
        };
        assert!(ends(true, true).is_ok());
        assert_eq!(format!("{:#}", ends(false, true).unwrap_err()), "first failed: no");
        assert_eq!(format!("{:#}", ends(true, false).unwrap_err()), "second failed: no");
    }
}
