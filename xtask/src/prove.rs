//! `cargo xtask prove`: the long proof.

use std::path::Path;

use anyhow::Result;

use crate::mutations::{self, Wanted};
use crate::steps::Steps;
use crate::test::prepare;
use crate::{crash, power_loss, schemathesis, simulate};

/// How much of everything.
struct Measure {
    /// Stories of the simulation.
    seeds: u64,
    /// Whether they may leave transitions out.
    partial: bool,
    /// Stories in which a mutation must be caught, and in which nothing is wrong with a build whose mutations sleep.
    mutation_seeds: u64,
    kills: u32,
    cuts: u32,
    /// Requests that hold the program against its document, with and without the key.
    cases: usize,
}

/// Enough runs to cover every transition, the rarest of which a few in ten thousand reach.
const FULL: Measure = Measure {
    seeds: 10_000,
    partial: false,
    mutation_seeds: mutations::SEEDS,
    kills: 200,
    cuts: 200,
    cases: 3_000,
};
const QUICK: Measure =
    Measure { seeds: 2_000, partial: true, mutation_seeds: 2_000, kills: 50, cuts: 50, cases: 500 };

/// Makes runs in the simulated world, sees every mutation caught, kills the running program, cuts its power, and
/// holds it against its document.
/// Where it is to be `quick`, there are fewer of each, and mutations that are rarely caught are left out.
///
/// # Errors
/// A step failed.
pub(crate) fn run(root: &Path, steps: &mut Steps, quick: bool) -> Result<()> {
    let measure = if quick { QUICK } else { FULL };
    steps.step("simulation", || simulate::run_many(root, measure.seeds, 0, measure.partial))?;
    let wanted = Wanted { only: Vec::new(), seeds: measure.mutation_seeds, quick };
    steps.step("mutations", || mutations::run(root, &wanted))?;
    let tools = prepare(root, steps)?;
    crash::run(root, steps, &tools, measure.kills)?;
    power_loss::run(root, steps, &tools, &power_loss::Cuts::new(measure.cuts))?;
    steps.step("schemathesis", || schemathesis::run(root, measure.cases))
}
