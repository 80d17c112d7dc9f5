//! `cargo xtask check`: what is said of the sources without running them, and a glance at how fast they run.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::bench;
use crate::both::both;
use crate::cargo::cargo;
use crate::install::{install_deny, install_template_tools};
use crate::sizes;
use crate::steps::{Steps, succeed};
use crate::template;

/// Checks what takes seconds: how the sources are set and how long they are.
///
/// # Errors
/// A step failed.
pub(crate) fn at_a_glance(root: &Path, steps: &mut Steps) -> Result<()> {
    steps.run("format", &mut cargo(root, &["fmt", "--all", "--check"]))?;
    steps.step("sizes", || sizes::run(root))
}

/// Checks the rest: lints; unless it is to be `quick`, also documentation, dependencies and the template, for which it
/// installs tools, and a glance at what is taken and told.
///
/// # Errors
/// A step failed.
pub(crate) fn thoroughly(root: &Path, steps: &mut Steps, quick: bool) -> Result<()> {
    if quick {
        return steps.step("lints", || lint(root));
    }
    let install = || both(|| install_deny(root), || install_template_tools(root));
    let ((deny, template_tools), ()) = steps.beside(("install checks", install), ("lints", || lint(root)))?;
    steps.step("documentation", || document(root))?;
    steps.step("dependencies", || check_dependencies(root, &deny))?;
    steps.step("template", || template::check(root, &template_tools))?;
    steps.step("glance at speed (debug build; judges nothing)", || bench::glance(root))
}

fn lint(root: &Path) -> Result<()> {
    let clippy =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--quiet", "--", "--deny", "warnings"];
    succeed(&mut cargo(root, &clippy))
}

fn document(root: &Path) -> Result<()> {
    // With the features of the lints, so that what those checked of the dependencies serves here, too.
    let doc = ["doc", "--workspace", "--all-features", "--no-deps", "--document-private-items", "--quiet"];
    succeed(cargo(root, &doc).env("RUSTDOCFLAGS", "--deny warnings"))
}

fn check_dependencies(root: &Path, deny: &Path) -> Result<()> {
    let deny = |args: &[&str]| {
        let mut command = Command::new(deny);
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
