//! Twelve people's orders in every form and language, as files and pictures to be looked at.

use std::path::Path;

use anyhow::Result;

use crate::install::Tools;
use crate::runner::Runner;
use crate::steps::Steps;
use crate::test::{EVERYTHING, with_peers};

/// Where they lie, in the project's folder.
const FOLDER: &str = "target/gallery";

/// Places the orders, and keeps what peers were told of them.
///
/// # Errors
/// A message is not what it should be, or a peer does not start.
pub(crate) fn run(root: &Path, steps: &mut Steps, tools: &Tools) -> Result<()> {
    let folder = root.join(FOLDER);
    let mut command =
        Runner::Cargo.command(root, &[&EVERYTHING[..], &["--test", "messages", "--quiet"]].concat());
    command.env("ORDERBELL_GALLERY", &folder);
    steps.tests("gallery", with_peers(&mut command, tools)?, Runner::Cargo)?;
    eprintln!("see {}", folder.display());
    Ok(())
}
