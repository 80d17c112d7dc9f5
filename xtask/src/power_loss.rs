//! The power-loss test alone, with as many cuts as one likes, or the one that found something.

use std::path::Path;

use anyhow::Result;

use crate::install::Tools;
use crate::runner::Runner;
use crate::steps::Steps;
use crate::test::{EVERYTHING, with_peers};

/// Where the power fails.
pub(crate) struct Cuts {
    /// How many times.
    pub(crate) count: u32,
    /// Which moments; by default others each time.
    pub(crate) seed: Option<u64>,
    /// Only this cut of the seed, in the run that was recorded last.
    pub(crate) only: Option<u32>,
}

impl Cuts {
    /// So many, at any moments.
    pub(crate) fn new(count: u32) -> Self {
        Self { count, seed: None, only: None }
    }
}

/// Runs the program, which is built, records what it does to its files, and opens what each cut leaves of them.
///
/// # Errors
/// A promise was broken, or the program cannot be traced here.
pub(crate) fn run(root: &Path, steps: &mut Steps, tools: &Tools, cuts: &Cuts) -> Result<()> {
    // It says what it saw, which cargo's own runner lets through.
    let selection = [&EVERYTHING[..], &["--test", "power_loss", "--quiet"]].concat();
    let mut command = Runner::Cargo.command(root, &selection);
    command.env("ORDERBELL_POWER_LOSS_CUTS", cuts.count.to_string());
    command.envs(cuts.seed.map(|seed| ("ORDERBELL_POWER_LOSS_SEED", seed.to_string())));
    command.envs(cuts.only.map(|cut| ("ORDERBELL_POWER_LOSS_CUT", cut.to_string())));
    steps.tests("power loss", with_peers(&mut command, tools)?, Runner::Cargo)
}
