//! `cargo xtask bench`: builds the programs as they are released, and asks the one that measures.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::cargo::{built, cargo};
use crate::package::{self, Architecture};
use crate::steps::succeed;
use crate::{emulators, install};

/// The question that is asked beside emulators of AWS.
const OF_LAMBDA: &str = "lambda";

/// Asks one question, in the words of the program that measures. Timings never fail it.
///
/// # Errors
/// The programs do not build or do not run.
pub(crate) fn run(root: &Path, asked: &[OsString]) -> Result<()> {
    match asked.split_first() {
        Some((question, arguments)) if question == OF_LAMBDA => run_lambda(root, arguments),
        _ => succeed(released(root)?.args(asked)),
    }
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

/// Measures the Lambda program beside a Python function, both on this machine's processor.
fn run_lambda(root: &Path, arguments: &[OsString]) -> Result<()> {
    let architecture = Architecture::of_this_machine();
    let publishing = package::build_publishing_in_request(root, architecture)?;
    package::run(root, architecture)?;
    install::install_emulators(root)?;
    let build = ["build", "--package", "orderbell-bench", "--features", "lambda", "--quiet"];
    succeed(&mut cargo(root, &build))?;
    let bench = built("debug")?.join("orderbell-bench");
    let subjects = [OF_LAMBDA.into(), "--program".into(), architecture.program(root).into(), "--zip".into()];
    let subjects = subjects.into_iter().chain([
        architecture.zip(root).into(),
        "--seed".into(),
        root.join("bench/peers").into(),
        "--publishing-program".into(),
        publishing.into(),
    ]);
    let command = [bench.into()].into_iter().chain(subjects).chain(arguments.iter().cloned());
    succeed(&mut emulators::network(&command.collect::<Vec<OsString>>())?)
}
