//! Running seeds: one in full, or many with their sums.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};
use sqlite::simulation::Disk;

use crate::coverage::Coverage;
use crate::ledger;
use crate::scenario::Scenario;
use crate::seed_queue::{FailedRun, SeedQueue};
use crate::world::{RunReport, Violation, World};

/// Seeds that once found something; they run first.
const REGRESSIONS: &str = include_str!("../regressions.txt");
/// How many steps before a broken promise are shown.
const SHOWN: usize = 40;

/// Runs one seed, and shows it step by step.
///
/// # Errors
/// It breaks a promise.
pub(crate) fn run_seed(seed: u64) -> Result<()> {
    match Runner::new()?.run(seed, true).with_context(|| format!("seed {seed}"))? {
        Ok(report) => {
            report.trace.iter().for_each(|line| eprintln!("{line}"));
            eprintln!("seed {seed}: {} steps, every promise was kept", report.steps);
            Ok(())
        }
        Err(broken) => {
            broken.trace.iter().flatten().for_each(|line| eprintln!("{line}"));
            bail!("seed {seed} breaks a promise at {broken}")
        }
    }
}

/// Runs the regressions and many seeds more, on that many threads, and sums them up.
///
/// # Errors
/// A run breaks a promise; or, unless `partial`, they leave a transition out.
#[expect(clippy::disallowed_methods, reason = "how long the simulation takes is measured in real time")]
pub(crate) fn run_all(seeds: Range<u64>, threads: usize, partial: bool) -> Result<()> {
    let start = Instant::now();
    let seeds = SeedQueue::new(regressions()?.into_iter().chain(seeds).collect());
    let (count, coverage) = (seeds.count(), run_on_threads(&seeds, threads)?);
    if let Some(FailedRun { seed, why, .. }) = seeds.first_broken() {
        show_end(seed)?;
        bail!("seed {seed} {why:#}\nreplay it with: cargo xtask simulate --seed {seed}");
    }
    eprintln!("seeds                    {count:>12}\n{coverage}\nbroken promises          {:>12}", 0);
    eprintln!("{count} seeds in {:.1} s", start.elapsed().as_secs_f64());
    let missing = coverage.missing();
    ensure!(partial || missing.is_empty(), "transitions that never happened:\n  {}", missing.join("\n  "));
    Ok(())
}

/// Runs the seeds, and gives what they reached together.
fn run_on_threads(seeds: &SeedQueue, threads: usize) -> Result<Coverage> {
    thread::scope(|scope| {
        let runners: Vec<_> = (0..threads).map(|_| scope.spawn(|| run_some(seeds))).collect();
        let reached =
            runners.into_iter().map(|runner| runner.join().map_err(|_| anyhow!("a thread panics"))?);
        reached.reduce(|all, some| Ok(all?.with(some?))).context("no thread")?
    })
}

fn run_some(seeds: &SeedQueue) -> Result<Coverage> {
    let mut runner = Runner::new()?;
    seeds.for_each_rest(|seed| {
        runner.run(seed, false)?.map(drop).map_err(|broken| anyhow!("breaks a promise at {broken}"))
    });
    Ok(runner.coverage)
}

/// Shows the last steps of a run that breaks a promise. One that makes the program panic has said so already.
fn show_end(seed: u64) -> Result<()> {
    let Ok(report) = Runner::new()?.run(seed, true) else { return Ok(()) };
    let trace = report.err().and_then(|broken| broken.trace).unwrap_or_default();
    trace[trace.len().saturating_sub(SHOWN)..].iter().for_each(|line| eprintln!("{line}"));
    Ok(())
}

/// Runs seeds one after the other.
struct Runner {
    template: Disk,
    /// A disk that served before: its prepared statements are worth more than half of a run's time.
    used: Option<Disk>,
    coverage: Coverage,
}

impl Runner {
    fn new() -> Result<Self> {
        Ok(Self { template: ledger::disk()?, used: None, coverage: Coverage::default() })
    }

    fn run(&mut self, seed: u64, traced: bool) -> Result<Result<RunReport, Violation>> {
        let (scenario, rng) = Scenario::of(seed);
        let own_disk = scenario.full;
        let disk = match self.used.take().filter(|_| !own_disk) {
            Some(disk) => disk,
            None => self.template.copy()?,
        };
        let world = World::new((scenario, rng), disk, &mut self.coverage, traced);
        let report =
            catch_unwind(AssertUnwindSafe(|| world.run())).map_err(|_| anyhow!("makes the program panic"))?;
        Ok(match report {
            Ok(mut report) => {
                self.used = report.disk.take().filter(|_| !own_disk);
                self.used.as_ref().map_or(Ok(()), ledger::empty)?;
                Ok(report)
            }
            Err(broken) => Err(broken),
        })
    }
}

fn regressions() -> Result<Vec<u64>> {
    let lines = REGRESSIONS.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(|line| line.parse().context("regressions.txt")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_run_on_a_used_disk_and_on_a_new_one() {
        let mut runner = Runner::new().unwrap();
        for seed in 0..40 {
            let trace = |report: Result<RunReport, Violation>| {
                report.unwrap_or_else(|broken| panic!("{broken}")).trace
            };
            let used = trace(runner.run(seed, true).unwrap());
            let new = trace(Runner::new().unwrap().run(seed, true).unwrap());
            assert!(used == new, "seed {seed} gives two runs");
        }
    }
    #[test]
    fn two_threads_reach_together_what_one_reaches() {
        let reached_on = |threads| {
            let seeds = SeedQueue::new((0..60).collect());
            let coverage = run_on_threads(&seeds, threads).unwrap();
            assert!(seeds.first_broken().is_none());
            coverage.to_string()
        };
        assert_eq!(reached_on(1), reached_on(2));
    }
}
