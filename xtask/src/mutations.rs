//! `cargo xtask mutations`: breaks a copy of the program in known ways, one at a time; each must be caught.
//!
//! A mutation is a patch in `simulation/mutations`. Its first line says what it breaks. A line `Caught by: ARGS` names
//! the arguments of the `cargo` that must fail; without one, the simulation must.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::cargo::{built, cargo};
use crate::steps::succeed;

/// What must fail, unless a patch names something else.
const SIMULATION: &str = "run --package orderbell-simulation -- --seeds 5000 --partial";

/// Applies every patch, each to the unbroken sources.
///
/// # Errors
/// A patch does not apply or compile any more, or is not caught.
pub(crate) fn run(root: &Path) -> Result<()> {
    let folder = built("mutations")?;
    let sources = folder.join("sources");
    let mut survivors = Vec::new();
    let mut patches = patches(root)?;
    patches.sort();
    ensure!(!patches.is_empty(), "there are no mutations");
    for patch in &patches {
        let start = Instant::now();
        copy_sources(root, &sources)?;
        let (what, caught) = mutate(&sources, &folder.join("build"), patch)?;
        let verdict = if caught { "caught" } else { "SURVIVED" };
        eprintln!("{:>8.1} s  {verdict}: {what}", start.elapsed().as_secs_f64());
        if !caught {
            survivors.push(what);
        }
    }
    ensure!(survivors.is_empty(), "not caught: {}", survivors.join("; "));
    eprintln!("{} mutations, each caught", patches.len());
    Ok(())
}

fn patches(root: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(root.join("simulation/mutations"))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "patch")).collect())
}

/// What the patch breaks, and whether that is caught.
fn mutate(sources: &Path, build: &Path, patch: &Path) -> Result<(String, bool)> {
    let name = patch.display();
    let text = fs::read_to_string(patch).with_context(|| name.to_string())?;
    let what = text.lines().next().unwrap_or_default().to_owned();
    let catcher = text.lines().find_map(|line| line.strip_prefix("Caught by: ")).unwrap_or(SIMULATION);
    let mut apply = Command::new("patch");
    apply
        .current_dir(sources)
        .args(["--strip=1", "--batch", "--forward", "--fuzz=0", "--silent", "--input"])
        .arg(patch);
    succeed(&mut apply).with_context(|| format!("{name} does not apply any more"))?;
    let catcher: Vec<_> = catcher.split_whitespace().collect();
    let within = |args: &[&str]| {
        let mut command = cargo(sources, args);
        command.env("CARGO_TARGET_DIR", build).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    // What does not compile would count as caught.
    let compile = without_running(&catcher)?;
    succeed(within(&compile).stderr(Stdio::inherit())).with_context(|| format!("{name} does not compile"))?;
    let status = within(&catcher).status()?;
    Ok((what, !status.success()))
}

/// The arguments that only build what the others run.
fn without_running<'a>(args: &[&'a str]) -> Result<Vec<&'a str>> {
    let before_run = args.iter().take_while(|arg| **arg != "--").copied();
    Ok(match args.first() {
        Some(&"run") => ["build", "--quiet"].into_iter().chain(before_run.skip(1)).collect(),
        Some(&"test") => before_run.chain(["--no-run", "--quiet"]).collect(),
        _ => bail!("a mutation is caught by `run` or by `test`"),
    })
}

/// Makes the copy like the sources; a file that is so already keeps its time, so that little is built anew.
fn copy_sources(root: &Path, to: &Path) -> Result<()> {
    let listed =
        Command::new("git").current_dir(root).args(["ls-files", "-z"]).output().context("git ls-files")?;
    ensure!(listed.status.success(), "git ls-files ended with {}", listed.status);
    let listed = String::from_utf8(listed.stdout)?;
    for name in listed.split_terminator('\0') {
        let (from, to) = (root.join(name), to.join(name));
        // A file may be deleted and still be listed.
        let Ok(bytes) = fs::read(&from) else { continue };
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
        fs::write(&to, bytes).with_context(|| to.display().to_string())?;
    }
    Ok(())
}
