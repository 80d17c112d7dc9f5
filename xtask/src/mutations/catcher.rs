//! What must find fault with a mutation.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::str::FromStr;

use anyhow::{Context, Error, Result, bail, ensure};

use crate::cargo::{built, cargo};
use crate::counts::Counts;
use crate::steps::succeed;
use crate::test::EVERYTHING;

/// What chooses the mutation that shows.
const MUTATION: &str = "ORDERBELL_MUTATION";
const SIMULATION: [&str; 4] = ["--package", "orderbell-simulation", "--profile", "simulation"];

/// One that must fail once the mutation shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Catcher {
    /// The simulation, over many runs.
    #[default]
    Simulation,
    /// Tests, named by arguments of `cargo test`, such as `--test http subscriber_links`.
    Tests(Vec<String>),
}

/// The copy of the sources in which all mutations sleep.
pub(super) struct Copy {
    pub(super) sources: PathBuf,
    /// How many runs the simulation makes.
    pub(super) seeds: u64,
}

impl FromStr for Catcher {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self> {
        let args =
            line.strip_prefix("test ").context("`Caught by:` must name tests: `Caught by: test ARGS`")?;
        Ok(Self::Tests(args.split_whitespace().map(str::to_owned).collect()))
    }
}

impl fmt::Display for Catcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simulation => f.write_str("the simulation"),
            Self::Tests(args) => write!(f, "cargo test {}", args.join(" ")),
        }
    }
}

impl Copy {
    /// Builds what catches, since what does not compile must not count as caught.
    pub(super) fn build(&self, catcher: &Catcher) -> Result<()> {
        let mut build = match catcher {
            Catcher::Simulation => self.cargo("build", &SIMULATION)?,
            Catcher::Tests(args) => {
                let mut tests = self.cargo("test", &EVERYTHING)?;
                tests.args(args).arg("--no-run");
                tests
            }
        };
        succeed(build.arg("--quiet")).with_context(|| format!("the mutations do not compile for {catcher}"))
    }

    /// Sees that the catcher finds nothing while no mutation shows.
    pub(super) fn passes(&self, catcher: &Catcher) -> Result<()> {
        let output = self.run(catcher, None)?;
        let said = said(&output);
        ensure!(output.status.success(), "{said}\n{catcher} finds fault though no mutation shows");
        ensure!(*catcher == Catcher::Simulation || passed(&said) > 0, "{catcher} runs no test");
        Ok(())
    }

    /// Shows the mutation of that name; tells what caught it, if anything did.
    pub(super) fn catches(&self, catcher: &Catcher, name: &str) -> Result<Option<String>> {
        let output = self.run(catcher, Some(name))?;
        if output.status.success() {
            return Ok(None);
        }
        let said = said(&output);
        match found(catcher, &said) {
            Some(by) => Ok(Some(by)),
            None => bail!("{said}\n{catcher} ended with {} and does not say what it found", output.status),
        }
    }

    fn run(&self, catcher: &Catcher, mutation: Option<&str>) -> Result<Output> {
        let mut command = match catcher {
            Catcher::Simulation => {
                let mut simulation = self.cargo("run", &SIMULATION)?;
                simulation.args(["--quiet", "--", "--partial", "--seeds", &self.seeds.to_string()]);
                simulation
            }
            Catcher::Tests(args) => {
                let mut tests = self.cargo("test", &EVERYTHING)?;
                tests.args(args);
                tests
            }
        };
        command.env_remove(MUTATION).envs(mutation.map(|name| (MUTATION, name)));
        command.stdin(Stdio::null()).output().with_context(|| catcher.to_string())
    }

    /// Cargo in the copy, which builds where everything else is built.
    fn cargo(&self, verb: &str, args: &[&str]) -> Result<Command> {
        let mut command = cargo(&self.sources, &[&[verb], args].concat());
        command.env("CARGO_TARGET_DIR", built("")?);
        Ok(command)
    }
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said)).concat()
}

fn passed(said: &str) -> u64 {
    let mut counts = Counts::default();
    for line in said.lines() {
        counts.add(line);
    }
    counts.passed
}

/// The seed, or the tests, that found fault.
fn found(catcher: &Catcher, said: &str) -> Option<String> {
    let found: Vec<_> = match catcher {
        Catcher::Simulation => {
            said.lines().filter_map(broken_seed).map(|seed| format!("seed {seed}")).collect()
        }
        Catcher::Tests(_) => said.lines().filter_map(failed_test).map(str::to_owned).collect(),
    };
    (!found.is_empty()).then(|| found.join(", "))
}

/// Reads `error: seed 12 breaks a promise at …` and `error: seed 12 makes the program panic`.
fn broken_seed(line: &str) -> Option<&str> {
    let (seed, what) = line.strip_prefix("error: seed ")?.split_once(' ')?;
    (what.starts_with("breaks a promise") || what.starts_with("makes the program panic")).then_some(seed)
}

/// Reads `test a_link_asks ... FAILED`.
fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_found_fault_is_told() {
        let said = "compiling\nerror: seed 12 breaks a promise at step 3: lost\nreplay it";
        assert_eq!(found(&Catcher::Simulation, said).unwrap(), "seed 12");
        assert_eq!(found(&Catcher::Simulation, "error: seed 0 makes the program panic").unwrap(), "seed 0");
        let tests: Catcher = "test --test http links".parse().unwrap();
        let said = "test links::one ... ok\ntest links::two ... FAILED\ntest links::three ... FAILED";
        assert_eq!(found(&tests, said).unwrap(), "links::two, links::three");
    }

    #[test]
    fn a_failure_of_another_kind_is_no_catch() {
        for said in ["", "error: the disk is full", "error: seed 12 cannot be read", "test links::one ... ok"]
        {
            assert_eq!(found(&Catcher::Simulation, said), None);
            assert_eq!(found(&Catcher::Tests(Vec::new()), said), None);
        }
    }
}
