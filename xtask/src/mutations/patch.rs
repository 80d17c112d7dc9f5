//! A mutation as it is written: a patch that adds a switch and what is wrong behind it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::catcher::Catcher;

/// A known way to break the program.
#[derive(Debug, Default)]
pub(super) struct Mutation {
    /// The patch's name, and its switch's: `domain::mutation::is("name")`.
    pub(super) name: String,
    /// What it breaks: the patch's first line.
    pub(super) what: String,
    /// What must find fault with it: the simulation, or what a line `Caught by: test …` names.
    pub(super) catcher: Catcher,
    /// A line `Rarely caught` says that it takes thousands of runs.
    pub(super) rare: bool,
    pub(super) patch: PathBuf,
}

/// Reads every patch of the folder, by their names' order.
///
/// # Errors
/// One cannot be read, or does not have the form of a mutation.
pub(super) fn read_all(folder: &Path) -> Result<Vec<Mutation>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "patch"));
    paths.sort();
    paths.into_iter().map(read).collect()
}

fn read(patch: PathBuf) -> Result<Mutation> {
    let text = fs::read_to_string(&patch).with_context(|| patch.display().to_string())?;
    let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    parse(&name, &text, patch).with_context(|| format!("the mutation {name}"))
}

fn parse(name: &str, text: &str, patch: PathBuf) -> Result<Mutation> {
    let head: Vec<_> = text.lines().take_while(|line| !line.starts_with("--- ")).collect();
    let what = head.first().copied().unwrap_or_default();
    ensure!(!what.is_empty(), "its first line does not say what it breaks");
    ensure!(
        text.contains(&format!("mutation::is(\"{name}\")")),
        "it does not ask for its switch by its name"
    );
    let catcher = head.iter().find_map(|line| line.strip_prefix("Caught by: "));
    Ok(Mutation {
        name: name.to_owned(),
        what: what.to_owned(),
        catcher: catcher.map_or(Ok(Catcher::Simulation), str::parse)?,
        rare: head.contains(&"Rarely caught"),
        patch,
    })
}

/// Applies all of them, one on top of the other, to the sources in that folder.
///
/// # Errors
/// Some do not apply any more; their names.
pub(super) fn apply_all(mutations: &[Mutation], sources: &Path) -> Result<()> {
    let mut stale = Vec::new();
    for mutation in mutations {
        let mut patch = Command::new("patch");
        patch.current_dir(sources);
        patch.args([
            "--strip=1",
            "--batch",
            "--forward",
            "--fuzz=0",
            "--silent",
            "--reject-file=-",
            "--input",
        ]);
        let status = patch.arg(&mutation.patch).status().context("patch, of the Debian package patch")?;
        stale.extend((!status.success()).then_some(mutation.name.as_str()));
    }
    ensure!(stale.is_empty(), "these mutations do not apply any more: {}", stale.join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "--- a/greeting.txt\n+++ b/greeting.txt\n@@ -1,2 +1,3 @@\n hello\n\
                         +if mutation::is(\"rude\") { go away }\n world\n";

    fn parsed(head: &str) -> Result<Mutation> {
        parse("rude", &format!("{head}\n{PATCH}"), PathBuf::new())
    }

    #[test]
    fn the_head_says_what_is_broken_and_what_catches_it() {
        let plain = parsed("Nobody is greeted\n").unwrap();
        assert_eq!(
            (plain.what.as_str(), plain.catcher, plain.rare),
            ("Nobody is greeted", Catcher::Simulation, false)
        );
        let tests = parsed("Nobody is greeted\nRarely caught\nCaught by: test --test hello world\n").unwrap();
        let args = ["--test", "hello", "world"].map(str::to_owned).to_vec();
        assert_eq!((tests.catcher, tests.rare), (Catcher::Tests(args), true));
    }

    #[test]
    fn a_patch_that_could_not_be_told_or_switched_on_is_refused() {
        assert!(parsed("").is_err());
        assert!(parsed("Nobody is greeted\nCaught by: chance").is_err());
        assert!(parse("polite", &format!("Nobody is greeted\n{PATCH}"), PathBuf::new()).is_err());
    }

    #[test]
    fn those_that_do_not_apply_to_the_sources_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let mutation = |name: &str, text: &str| {
            let patch = folder.path().join(name).with_extension("patch");
            fs::write(&patch, text).unwrap();
            Mutation { name: name.to_owned(), patch, ..Mutation::default() }
        };
        let greeting = folder.path().join("greeting.txt");
        let mutations = [
            mutation("rude", PATCH),
            mutation("twice", PATCH),
            mutation("elsewhere", &PATCH.replace("greeting", "farewell")),
        ];
        fs::write(&greeting, "well,\nhello\nworld\n").unwrap();
        apply_all(&mutations[..1], folder.path()).unwrap();
        assert!(fs::read_to_string(&greeting).unwrap().contains("go away"));
        fs::write(&greeting, "hello\nworld\n").unwrap();
        let error = apply_all(&mutations, folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "these mutations do not apply any more: twice, elsewhere");
    }
}
