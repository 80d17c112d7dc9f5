//! The crash test alone, with as many kills as one likes.

use std::path::Path;

use anyhow::Result;

use crate::install::Tools;
use crate::runner::Runner;
use crate::steps::Steps;
use crate::test::{EVERYTHING, with_peers};

/// Kills the program, which is built, `kills` times.
///
/// # Errors
/// A promise was broken, or a peer does not start.
pub(crate) fn run(root: &Path, steps: &mut Steps, tools: &Tools, kills: u32) -> Result<()> {
    // It says what it saw, which cargo's own runner lets through.
    let mut command =
        Runner::Cargo.command(root, &[&EVERYTHING[..], &["--test", "crash", "--quiet"]].concat());
    command.env("ORDERBELL_CRASH_KILLS", kills.to_string());
    steps.tests("crash", with_peers(&mut command, tools)?, Runner::Cargo)
}
