//! `cargo xtask test`: every test.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::cargo::{built, cargo};
use crate::emulators;
use crate::install::{Tools, install};
use crate::runner::Runner;
use crate::steps::{Steps, succeed};

/// All that is tested, and the programs that the scenarios start. Always built with the same features, so that nothing is
/// compiled twice.
pub(crate) const EVERYTHING: [&str; 2] = ["--workspace", "--all-features"];

/// How often the crash test kills and the power fails here. `cargo xtask prove` does so more often.
const KILLS: u32 = 10;
const CUTS: u32 = 20;

/// Installs what the tests need, builds, and runs every test.
///
/// # Errors
/// A step failed.
pub(crate) fn run(root: &Path, steps: &mut Steps) -> Result<()> {
    let tools = prepare(root, steps)?;
    let runner = Runner::find(root);
    let mut command = runner.command(root, &EVERYTHING);
    if tools.relays.is_none() {
        eprintln!("left out, since they need root: Debian's mail relays");
        command.args(["--", "--skip", "real_relays::"]);
    }
    let mut tests = beside_emulators(&command)?;
    tests.current_dir(root);
    tests.env("ORDERBELL_CRASH_KILLS", KILLS.to_string());
    tests.env("ORDERBELL_POWER_LOSS_CUTS", CUTS.to_string());
    steps.tests("tests", with_peers(&mut tests, &tools)?, runner)
}

/// Installs what the tests need while it builds the programs and every test: one waits for the network, the other for the
/// processor.
///
/// # Errors
/// Something cannot be installed or does not compile.
pub(crate) fn prepare(root: &Path, steps: &mut Steps) -> Result<Tools> {
    let build = || succeed(cargo(root, &["build", "--bins", "--tests", "--quiet"]).args(EVERYTHING));
    let (tools, ()) = steps.beside(("install", || install(root)), ("build", build))?;
    Ok(tools)
}

/// Tells the scenarios where the programs, their peers' Python and Prism are.
///
/// # Errors
/// It is not known where this program is.
pub(crate) fn with_peers<'a>(command: &'a mut Command, tools: &Tools) -> Result<&'a mut Command> {
    let programs = built("debug")?;
    command
        .env("ORDERBELL_BIN", programs.join("orderbell"))
        .env("ORDERBELL_LAMBDA", programs.join("bootstrap"));
    command.env("ORDERBELL_PYTHON", &tools.python).env("ORDERBELL_PRISM", &tools.prism);
    Ok(command.envs(tools.relays.iter().map(|relays| ("ORDERBELL_RELAYS", relays))))
}

fn beside_emulators(command: &Command) -> Result<Command> {
    let line = [command.get_program()].into_iter().chain(command.get_args());
    emulators::network(&line.map(OsString::from).collect::<Vec<_>>())
}
