//! `cargo xtask bench`: builds the release programs and measures.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::cargo::{built, cargo};
use crate::steps::succeed;

/// Measures. Timings never fail it.
///
/// # Errors
/// The programs do not build or do not run.
pub(crate) fn run(root: &Path) -> Result<()> {
    let packages = ["--package", "orderbell-server", "--package", "orderbell-bench"];
    succeed(cargo(root, &["build", "--release", "--quiet"]).args(packages))?;
    let folder = built("release")?;
    succeed(Command::new(folder.join("orderbell-bench")).arg("--program").arg(folder.join("orderbell")))
}
