//! `cargo xtask bench`, `bench-drain`, `bench-isolation`, `bench-waiting`, `bench-siege` and `bench-lambda`: build the programs as they are released, and measure.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::cargo::{built, cargo};
use crate::package::{self, Architecture};
use crate::steps::succeed;
use crate::{emulators, install};

/// Measures the program. Timings never fail it.
///
/// # Errors
/// The programs do not build or do not run.
pub(crate) fn run(root: &Path) -> Result<()> {
    succeed(&mut released(root)?)
}

/// Measures whether two bad endpoints delay a thousand healthy ones. Timings never fail it.
///
/// # Errors
/// The programs do not build or do not run.
pub(crate) fn run_isolation(root: &Path) -> Result<()> {
    succeed(released(root)?.arg("isolation"))
}

/// Measures how fast what waits is told. Timings never fail it.
///
/// # Errors
/// The programs do not build or do not run.
pub(crate) fn run_drain(root: &Path) -> Result<()> {
    succeed(released(root)?.arg("drain"))
}

/// Measures whether endpoints that wait for a retry delay a healthy one. Timings never fail it.
///
/// # Errors
/// The programs do not build or do not run.
pub(crate) fn run_waiting(root: &Path) -> Result<()> {
    succeed(released(root)?.arg("waiting"))
}

/// Measures what orders and healthy deliveries cost while everyone else behaves badly at once. Timings never fail it.
///
/// # Errors
/// The programs do not build or do not run.
pub(crate) fn run_siege(root: &Path) -> Result<()> {
    succeed(released(root)?.arg("siege"))
}

/// Builds the program and its measurement, both as they are released, and gives the command that measures.
fn released(root: &Path) -> Result<Command> {
    let packages = ["--package", "orderbell-server", "--package", "orderbell-bench"];
    succeed(cargo(root, &["build", "--release", "--quiet"]).args(packages))?;
    let folder = built("release")?;
    let mut command = Command::new(folder.join("orderbell-bench"));
    command.arg("--program").arg(folder.join("orderbell"));
    Ok(command)
}

/// Measures the Lambda program beside a Python function, both on this machine's processor. Timings never fail it.
///
/// # Errors
/// The programs do not build, the emulators do not run, or a function does not do its work.
pub(crate) fn run_lambda(root: &Path) -> Result<()> {
    let architecture = Architecture::of_this_machine();
    let publishing = package::build_publishing_in_request(root, architecture)?;
    package::run(root, architecture)?;
    install::install_emulators(root)?;
    let build = ["build", "--package", "orderbell-bench", "--features", "lambda", "--quiet"];
    succeed(&mut cargo(root, &build))?;
    let bench = built("debug")?.join("orderbell-bench");
    let arguments = ["lambda".into(), "--program".into(), architecture.program(root).into(), "--zip".into()];
    let arguments = arguments.into_iter().chain([
        architecture.zip(root).into(),
        "--seed".into(),
        root.join("bench/peers").into(),
        "--publishing-program".into(),
        publishing.into(),
    ]);
    let command: Vec<OsString> = [bench.into()].into_iter().chain(arguments).collect();
    succeed(&mut emulators::network(&command)?)
}
