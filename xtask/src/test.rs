//! `cargo xtask test`: every check and every test, in order.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::cargo::{built, cargo};
use crate::install::{Tools, install, install_emulators};
use crate::steps::{Steps, succeed};
use crate::{emulators, mutations, simulate, sizes, template};

/// How many stories of the simulation are told: enough to cover every transition, the rarest of which a few in ten
/// thousand reach.
const SEEDS: u64 = 10_000;

/// Runs everything; the first step that fails ends it.
///
/// # Errors
/// A step failed.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut steps = Steps::default();
    let outcome = run_steps(root, &mut steps);
    steps.sum_up();
    outcome
}

fn run_steps(root: &Path, steps: &mut Steps) -> Result<()> {
    let mut tools = None;
    steps.step("install", || {
        tools = Some(install(root)?);
        install_emulators(root).map(drop)
    })?;
    let Some(tools) = tools else { return Ok(()) };
    steps.run("format", &mut cargo(root, &["fmt", "--all", "--check"]))?;
    steps.step("sizes", || sizes::run(root))?;
    steps.step("template", || template::run(root))?;
    let clippy =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--quiet", "--", "--deny", "warnings"];
    steps.run("clippy", &mut cargo(root, &clippy))?;
    let doc = ["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"];
    steps.run("documentation", cargo(root, &doc).env("RUSTDOCFLAGS", "--deny warnings"))?;
    steps.step("dependencies", || check_dependencies(root, &tools))?;
    // The programs together with the tests: with the same features, so that nothing is compiled twice.
    let build = ["build", "--workspace", "--bins", "--tests", "--all-features", "--quiet"];
    steps.run("build", &mut cargo(root, &build))?;
    steps.step("simulation", || simulate::run(root, SEEDS, 0, None))?;
    steps.step("mutations", || mutations::run(root))?;
    let test = ["test", "--workspace", "--all-features", "--no-fail-fast", "--offline"];
    let mut beside_emulators = emulators::network(&command_line(&cargo(root, &test)))?;
    steps.tests("tests and scenarios", with_peers(beside_emulators.current_dir(root), &tools)?)
}

/// Tells the scenarios where the programs, their peers' Python and Prism are.
pub(crate) fn with_peers<'a>(command: &'a mut Command, tools: &Tools) -> Result<&'a mut Command> {
    let programs = built("debug")?;
    command
        .env("ORDERBELL_BIN", programs.join("orderbell"))
        .env("ORDERBELL_LAMBDA", programs.join("bootstrap"));
    Ok(command.env("ORDERBELL_PYTHON", &tools.python).env("ORDERBELL_PRISM", &tools.prism))
}

/// A command's program and arguments.
fn command_line(command: &Command) -> Vec<OsString> {
    [command.get_program()].into_iter().chain(command.get_args()).map(OsString::from).collect()
}

fn check_dependencies(root: &Path, tools: &Tools) -> Result<()> {
    let deny = |args: &[&str]| {
        let mut command = Command::new(&tools.deny);
        command.current_dir(root).args(args);
        command
    };
    succeed(&mut deny(&["--log-level", "error", "check", "bans", "licenses", "sources"]))?;
    let fetched = deny(&["fetch", "db"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if fetched.success() {
        return succeed(&mut deny(&["--log-level", "error", "check", "--disable-fetch", "advisories"]));
    }
    eprintln!("advisories are not checked: the advisory database cannot be fetched from here");
    Ok(())
}
