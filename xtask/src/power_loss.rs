//! `cargo xtask power-loss`: the power-loss test alone, with as many cuts as one likes, or one cut of it again.

use std::path::Path;

use anyhow::Result;

use crate::cargo::cargo;
use crate::install::install;
use crate::steps::{Steps, succeed};
use crate::test::with_peers;

/// Builds the program, records a run of it and cuts its power `cuts` times, as `seed` decides; with `cut`, replays that
/// one in the last recording.
///
/// # Errors
/// A promise was broken; or the program or its peers could not be built or installed.
pub(crate) fn run(root: &Path, cuts: u32, seed: Option<u64>, cut: Option<u32>) -> Result<()> {
    let tools = install(root)?;
    succeed(&mut cargo(root, &["build", "--workspace", "--bins", "--tests", "--quiet"]))?;
    let mut command = cargo(root, &["test", "--workspace", "--test", "power_loss", "--quiet"]);
    command.env("ORDERBELL_POWER_LOSS_CUTS", cuts.to_string());
    command.envs(seed.map(|seed| ("ORDERBELL_POWER_LOSS_SEED", seed.to_string())));
    command.envs(cut.map(|cut| ("ORDERBELL_POWER_LOSS_CUT", cut.to_string())));
    Steps::default().tests("power loss", with_peers(&mut command, &tools)?)
}
