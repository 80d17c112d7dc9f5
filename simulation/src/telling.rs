//! Telling stories: one in full, or many with their sums.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};
use sqlite::simulation::Disk;

use crate::coverage::Coverage;
use crate::ledger;
use crate::scenario::Scenario;
use crate::stories::{BrokenStory, Stories};
use crate::world::{Broken, Told, World};

/// Seeds that once found something; they are told first.
const REGRESSIONS: &str = include_str!("../regressions.txt");
/// How many steps before a broken promise are shown.
const SHOWN: usize = 40;

/// Tells one story, step by step.
///
/// # Errors
/// It breaks a promise.
pub(crate) fn tell(seed: u64) -> Result<()> {
    match Teller::new()?.tell(seed, true).with_context(|| format!("seed {seed}"))? {
        Ok(told) => {
            told.trace.iter().for_each(|line| eprintln!("{line}"));
            eprintln!("seed {seed}: {} steps, every promise was kept", told.steps);
            Ok(())
        }
        Err(broken) => {
            broken.trace.iter().flatten().for_each(|line| eprintln!("{line}"));
            bail!("seed {seed} breaks a promise at {broken}")
        }
    }
}

/// Tells the regressions and many stories more, on that many threads, and sums them up.
///
/// # Errors
/// A story breaks a promise; or, unless `partial`, they leave a transition out.
#[expect(clippy::disallowed_methods, reason = "how long the simulation takes is told in real time")]
pub(crate) fn tell_all(seeds: Range<u64>, threads: usize, partial: bool) -> Result<()> {
    let start = Instant::now();
    let stories = Stories::new(regressions()?.into_iter().chain(seeds).collect());
    let (count, coverage) = (stories.count(), tell_on_threads(&stories, threads)?);
    if let Some(BrokenStory { seed, why, .. }) = stories.first_broken() {
        show_end(seed)?;
        bail!("seed {seed} {why:#}\nreplay it with: cargo xtask simulate --seed {seed}");
    }
    eprintln!("seeds                    {count:>12}\n{coverage}\nbroken promises          {:>12}", 0);
    eprintln!("{count} seeds in {:.1} s", start.elapsed().as_secs_f64());
    let missing = coverage.missing();
    ensure!(partial || missing.is_empty(), "transitions that never happened:\n  {}", missing.join("\n  "));
    Ok(())
}

/// Tells the stories, and gives what they reached together.
fn tell_on_threads(stories: &Stories, threads: usize) -> Result<Coverage> {
    thread::scope(|scope| {
        let tellers: Vec<_> = (0..threads).map(|_| scope.spawn(|| tell_some(stories))).collect();
        let reached =
            tellers.into_iter().map(|teller| teller.join().map_err(|_| anyhow!("a thread panics"))?);
        reached.reduce(|all, some| Ok(all?.with(some?))).context("no thread")?
    })
}

fn tell_some(stories: &Stories) -> Result<Coverage> {
    let mut teller = Teller::new()?;
    stories.tell_rest(|seed| {
        teller.tell(seed, false)?.map(drop).map_err(|broken| anyhow!("breaks a promise at {broken}"))
    });
    Ok(teller.coverage)
}

/// Shows the last steps of a story that breaks a promise. One that makes the program panic has said so already.
fn show_end(seed: u64) -> Result<()> {
    let Ok(told) = Teller::new()?.tell(seed, true) else { return Ok(()) };
    let trace = told.err().and_then(|broken| broken.trace).unwrap_or_default();
    trace[trace.len().saturating_sub(SHOWN)..].iter().for_each(|line| eprintln!("{line}"));
    Ok(())
}

/// Tells stories one after the other.
struct Teller {
    template: Disk,
    /// A disk that served before: its prepared statements are worth more than half of a story's time.
    used: Option<Disk>,
    coverage: Coverage,
}

impl Teller {
    fn new() -> Result<Self> {
        Ok(Self { template: ledger::disk()?, used: None, coverage: Coverage::default() })
    }

    fn tell(&mut self, seed: u64, traced: bool) -> Result<Result<Told, Broken>> {
        let (scenario, dice) = Scenario::of(seed);
        let own_disk = scenario.full;
        let disk = match self.used.take().filter(|_| !own_disk) {
            Some(disk) => disk,
            None => self.template.copy()?,
        };
        let world = World::new((scenario, dice), disk, &mut self.coverage, traced);
        let told =
            catch_unwind(AssertUnwindSafe(|| world.run())).map_err(|_| anyhow!("makes the program panic"))?;
        Ok(match told {
            Ok(mut told) => {
                self.used = told.disk.take().filter(|_| !own_disk);
                self.used.as_ref().map_or(Ok(()), ledger::empty)?;
                Ok(told)
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
    fn the_same_seed_tells_the_same_story_on_a_used_disk_and_on_a_new_one() {
        let mut teller = Teller::new().unwrap();
        for seed in 0..40 {
            let trace = |told: Result<Told, Broken>| told.unwrap_or_else(|broken| panic!("{broken}")).trace;
            let used = trace(teller.tell(seed, true).unwrap());
            let new = trace(Teller::new().unwrap().tell(seed, true).unwrap());
            assert!(used == new, "seed {seed} tells two stories");
        }
    }
    #[test]
    fn two_threads_reach_together_what_one_reaches() {
        let told_on = |threads| {
            let stories = Stories::new((0..60).collect());
            let coverage = tell_on_threads(&stories, threads).unwrap();
            assert!(stories.first_broken().is_none());
            coverage.to_string()
        };
        assert_eq!(told_on(1), told_on(2));
    }
}
