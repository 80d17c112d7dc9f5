//! `cargo xtask test`: every check and every test, in order.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::cargo::{built, cargo};
use crate::install::{Tools, install};
use crate::sizes;
use crate::steps::{Steps, succeed};

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
    steps.step("install", || install(root).map(|installed| tools = Some(installed)))?;
    let Some(tools) = tools else { return Ok(()) };
    steps.run("format", &mut cargo(root, &["fmt", "--all", "--check"]))?;
    steps.step("sizes", || sizes::run(root))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"];
    steps.run("clippy", &mut cargo(root, &clippy))?;
    let doc = ["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"];
    steps.run("documentation", cargo(root, &doc).env("RUSTDOCFLAGS", "--deny warnings"))?;
    steps.step("dependencies", || check_dependencies(root, &tools))?;
    // The program together with the tests: with the same features, so that nothing is compiled twice.
    let build = ["build", "--workspace", "--bins", "--tests", "--quiet"];
    steps.run("build", &mut cargo(root, &build))?;
    let test = ["test", "--workspace", "--no-fail-fast"];
    steps.tests("tests and scenarios", with_peers(&mut cargo(root, &test), &tools)?)
}

/// Tells the scenarios where the program and their peers' Python are.
pub(crate) fn with_peers<'a>(command: &'a mut Command, tools: &Tools) -> Result<&'a mut Command> {
    Ok(command.env("ORDERBELL_BIN", built("debug")?.join("orderbell")).env("ORDERBELL_PYTHON", &tools.python))
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
