//! `cargo xtask simulate`: the relay, the engine and the store in a simulated world.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::cargo::cargo;
use crate::steps::succeed;

/// Makes `seeds` runs from `first` on, on every core; unless `partial`, they must cover every transition.
///
/// # Errors
/// A promise was broken, or a transition never happened; or the simulation could not be built.
pub(crate) fn run_many(root: &Path, seeds: u64, first: u64, partial: bool) -> Result<()> {
    let mut command = simulation(root);
    command.args(["--seeds", &seeds.to_string(), "--first", &first.to_string()]);
    command.args(partial.then_some("--partial"));
    succeed(&mut command)
}

/// Makes the run of `seed`, step by step.
///
/// # Errors
/// A promise was broken, or the simulation could not be built.
pub(crate) fn run_one(root: &Path, seed: u64) -> Result<()> {
    succeed(simulation(root).args(["--seed", &seed.to_string()]))
}

fn simulation(root: &Path) -> Command {
    cargo(root, &["run", "--package", "orderbell-simulation", "--profile", "simulation", "--quiet", "--"])
}
