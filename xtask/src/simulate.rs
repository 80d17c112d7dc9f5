//! `cargo xtask simulate`: the relay, the engine and the store in a simulated world.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::cargo::cargo;
use crate::steps::succeed;

/// Tells `seeds` stories from `first` on, or only the one of `seed` in full.
///
/// # Errors
/// A promise was broken, or a transition never happened; or the simulation could not be built.
pub(crate) fn run(root: &Path, seeds: u64, first: u64, seed: Option<u64>) -> Result<()> {
    let mut command = simulation(root, "simulation");
    match seed {
        Some(seed) => command.args(["--seed", &seed.to_string()]),
        None => command.args(["--seeds", &seeds.to_string(), "--first", &first.to_string()]),
    };
    succeed(&mut command)
}

/// The simulation, built with that profile.
pub(crate) fn simulation(root: &Path, profile: &str) -> Command {
    cargo(root, &["run", "--package", "orderbell-simulation", "--profile", profile, "--quiet", "--"])
}
