//! The copy of the sources that has every mutation in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::patch::{Mutation, apply_all};

/// Makes `to` the sources with every mutation, by way of `patched`, which is made anew. A file that is so already keeps its
/// time, so that little is built again.
///
/// # Errors
/// A patch does not apply any more, or files cannot be copied.
pub(super) fn prepare(root: &Path, mutations: &[Mutation], patched: &Path, to: &Path) -> Result<()> {
    if patched.exists() {
        fs::remove_dir_all(patched)?;
    }
    let names = listed(root)?;
    for name in &names {
        copy(&root.join(name), &patched.join(name))?;
    }
    apply_all(mutations, patched)?;
    add_switch(root, patched)?;
    rename_version(&patched.join("Cargo.toml"))?;
    let wanted = files_in(patched)?;
    for stale in files_in(to)?.difference(&wanted) {
        fs::remove_file(to.join(stale))?;
    }
    wanted.iter().try_for_each(|name| copy(&patched.join(name), &to.join(name)))
}

/// The files that belong to the project and are there.
fn listed(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output().context("git ls-files")?;
    ensure!(output.status.success(), "git ls-files ended with {}", output.status);
    let listed = String::from_utf8(output.stdout)?;
    Ok(listed.split_terminator('\0').map(PathBuf::from).filter(|name| root.join(name).is_file()).collect())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| from.display().to_string())?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
    fs::write(to, bytes).with_context(|| to.display().to_string())
}

/// The switch lies in the crate that all others know. No source of the program itself knows it.
fn add_switch(root: &Path, sources: &Path) -> Result<()> {
    let domain = sources.join("crates/domain/src");
    copy(&root.join("simulation/mutations/switch.rs"), &domain.join("mutation.rs"))?;
    let lib = domain.join("lib.rs");
    let text = fs::read_to_string(&lib)?;
    Ok(fs::write(lib, format!("{text}pub mod mutation;\n"))?)
}

/// Gives the copy's crates a version of their own: cargo then keeps what it builds of them apart from the originals, in one
/// target folder, so that the dependencies are built once for both.
fn rename_version(manifest: &Path) -> Result<()> {
    let text = fs::read_to_string(manifest)?;
    let line =
        text.lines().find(|line| line.starts_with("version = \"")).context("the workspace has no version")?;
    Ok(fs::write(manifest, text.replacen(line, "version = \"0.0.0-mutations\"", 1))?)
}

/// The files in a folder, but for what tools leave there; none if there is no such folder.
fn files_in(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let (mut files, mut folders) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(within) = folders.pop() {
        if !within.exists() {
            continue;
        }
        for entry in fs::read_dir(&within)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder)?.to_owned());
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copys_version_is_its_own_and_that_of_its_dependencies_stays() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("Cargo.toml");
        fs::write(&manifest, "[workspace.package]\nversion = \"0.1.0\"\n\n[x]\nversion = \"0.1.0\"\n")
            .unwrap();
        rename_version(&manifest).unwrap();
        let text = fs::read_to_string(manifest).unwrap();
        assert_eq!(text, "[workspace.package]\nversion = \"0.0.0-mutations\"\n\n[x]\nversion = \"0.1.0\"\n");
    }

    #[test]
    fn a_file_that_did_not_change_keeps_its_time_and_one_that_is_gone_goes() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        fs::create_dir_all(file("from/deep")).unwrap();
        fs::write(file("from/deep/a"), "1").unwrap();
        copy(&file("from/deep/a"), &file("to/deep/a")).unwrap();
        let time = || fs::metadata(file("to/deep/a")).unwrap().modified().unwrap();
        let before = time();
        copy(&file("from/deep/a"), &file("to/deep/a")).unwrap();
        assert_eq!(time(), before);
        fs::write(file("to/b"), "").unwrap();
        let all = files_in(&file("to")).unwrap();
        assert_eq!(all, ["b", "deep/a"].map(PathBuf::from).into());
        assert!(files_in(&file("nowhere")).unwrap().is_empty());
    }
}
