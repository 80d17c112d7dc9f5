//! Runs commands one after the other, with their times and the tests they counted.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// What ran so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
    counts: Counts,
}

/// One step that came to its end.
struct Step {
    name: &'static str,
    time: Duration,
    succeeded: bool,
}

/// Tests, as the test harness counted them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Steps {
    /// Runs `work` as a step of that name.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let outcome = work().with_context(|| format!("{name} failed"));
        let step = Step { name, time: start.elapsed(), succeeded: outcome.is_ok() };
        eprintln!("== {step}");
        self.done.push(step);
        outcome
    }

    /// Runs a command that must succeed.
    pub(crate) fn run(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        self.step(name, || succeed(command))
    }

    /// Runs a command that runs tests, and counts them. All must run: an ignored one is a failure.
    pub(crate) fn tests(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        let mut counts = self.counts;
        let outcome = self.step(name, || count_tests(command, &mut counts));
        self.counts = counts;
        outcome
    }

    /// Prints what ran, how long it took, and how the tests went.
    pub(crate) fn sum_up(&self) {
        eprintln!("\n== summary");
        for step in &self.done {
            eprintln!("{step}");
        }
        let total: Duration = self.done.iter().map(|step| step.time).sum();
        eprintln!("{:>8.1} s  in all", total.as_secs_f64());
        eprintln!("{} passed, {} failed", self.counts.passed, self.counts.failed);
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = if self.succeeded { "" } else { ": FAILED" };
        write!(f, "{:>8.1} s  {}{outcome}", self.time.as_secs_f64(), self.name)
    }
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

fn count_tests(command: &mut Command, counts: &mut Counts) -> Result<()> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("starting the tests")?;
    let output = child.stdout.take().context("the tests' output")?;
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
    Ok(())
}

impl Counts {
    /// Reads `test result: ok. 3 passed; 0 failed; 0 ignored; …`; other lines change nothing.
    fn add(&mut self, line: &str) {
        let Some((_, numbers)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in numbers.split("; ") {
            let Some((number, what)) = part.split_once(' ') else { continue };
            let number = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_several_test_programs_add_up() {
        let mut counts = Counts::default();
        counts.add("running 4 tests");
        counts.add(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        counts.add(
            "test result: FAILED. 2 passed; 5 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        );
        assert_eq!(counts, Counts { passed: 5, failed: 5, ignored: 1 });
    }

    #[test]
    fn an_ignored_test_fails_the_step() {
        let mut command = Command::new("echo");
        command.arg("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured");
        assert!(Steps::default().tests("tests", &mut command).is_err());
    }

    #[test]
    fn a_command_that_fails_fails_the_step() {
        assert!(Steps::default().run("false", &mut Command::new("false")).is_err());
        assert!(Steps::default().run("true", &mut Command::new("true")).is_ok());
    }
}
