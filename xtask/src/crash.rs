//! `cargo xtask crash`: the crash test alone, with as many kills as one likes.

use std::path::Path;

use anyhow::Result;

use crate::cargo::cargo;
use crate::install::install;
use crate::steps::{Steps, succeed};
use crate::test::with_peers;

/// Builds the program and kills it `kills` times.
///
/// # Errors
/// A promise was broken; or the program or its peers could not be built or installed.
pub(crate) fn run(root: &Path, kills: u32) -> Result<()> {
    let tools = install(root)?;
    succeed(&mut cargo(root, &["build", "--workspace", "--bins", "--tests", "--quiet"]))?;
    let mut command = cargo(root, &["test", "--workspace", "--test", "crash", "--quiet"]);
    command.env("ORDERBELL_CRASH_KILLS", kills.to_string());
    Steps::default().tests("crash", with_peers(&mut command, &tools)?)
}
