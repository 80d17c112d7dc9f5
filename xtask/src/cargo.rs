//! Calls to cargo from within a program that cargo started.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// What cargo tells the program it runs. Passed on, it would make build scripts that watch it run again each time.
const OWN: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// `cargo ARGS`, in the workspace's folder.
pub(crate) fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(args);
    forget_own(&mut command);
    command
}

/// Keeps from a command what cargo told this program.
pub(crate) fn forget_own(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| OWN.iter().any(|own| name.starts_with(own))) {
            command.env_remove(name);
        }
    }
}

/// The folder of the programs built with the profile of that name (`debug`, `release`).
pub(crate) fn built(profile: &str) -> Result<PathBuf> {
    let this = env::current_exe().context("where this program is")?;
    let target = this.ancestors().nth(2).context("this program is not in cargo's target folder")?;
    Ok(target.join(profile))
}
