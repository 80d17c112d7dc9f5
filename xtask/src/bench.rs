//! `cargo xtask bench`: builds the programs as they are released, and asks the one that measures.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::cargo::{built, cargo};
use crate::package::{self, Architecture};
use crate::steps::succeed;
use crate::test::EVERYTHING;
use crate::{emulators, install};

/// The question that is asked beside emulators of AWS.
const OF_LAMBDA: &str = "lambda";
/// The question that is asked beside Postfix's programs.
const OF_MAIL: &str = "mail";
/// The question that is asked of others, too, which are installed first.
const OF_PEERS: &str = "peers";
/// What measures nothing: it draws what was kept, or explains.
const UNMEASURED: [&str; 3] = ["report", "help", "--help"];

/// Asks one question, in the words of the program that measures. Timings never fail it.
///
/// # Errors
/// The programs do not build or do not run.
pub(crate) fn run(root: &Path, asked: &[OsString]) -> Result<()> {
    match asked.split_first() {
        Some((question, arguments)) if question == OF_LAMBDA => run_lambda(root, arguments),
        Some((question, arguments)) if question == OF_MAIL => {
            let relays = install::unpack_relays(root)?;
            succeed(released(root)?.arg(question).arg("--relays").arg(relays).args(arguments))
        }
        Some((question, arguments)) if question == OF_PEERS => run_peers(root, arguments),
        Some((question, _)) if UNMEASURED.iter().any(|it| question == it) => {
            succeed(debug(root)?.current_dir(root).args(asked))
        }
        _ => succeed(released(root)?.args(asked)),
    }
}

/// Looks for a few seconds at what is taken and told, with a debug build, which is there or soon made: a release build takes
/// minutes. It prints, and judges nothing.
///
/// # Errors
/// The programs do not build or do not run.
pub(crate) fn glance(root: &Path) -> Result<()> {
    succeed(cargo(root, &["build", "--bins", "--quiet"]).args(EVERYTHING))?;
    let folder = built("debug")?;
    let mut bench = Command::new(folder.join("orderbell-bench"));
    succeed(bench.arg("--program").arg(folder.join("orderbell")).arg("glance"))
}

/// Builds the measurement as soon as can be, for what measures nothing.
fn debug(root: &Path) -> Result<Command> {
    succeed(&mut cargo(root, &["build", "--package", "orderbell-bench", "--quiet"]))?;
    Ok(Command::new(built("debug")?.join("orderbell-bench")))
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

/// Measures the program beside others that do the same work.
fn run_peers(root: &Path, arguments: &[OsString]) -> Result<()> {
    let tools = install::install_benchmark_peers(root)?;
    let mut peers = released(root)?;
    peers.args([OF_PEERS, "--tools"]).arg(tools).arg("--sources").arg(root.join("bench/peers"));
    succeed(peers.args(arguments))
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
