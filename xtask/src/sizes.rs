//! `cargo xtask sizes`: how long the files and functions of production code are.
//!
//! Production code is what lies in the `src` folders of the workspace, without what is compiled for tests only.

mod measure;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use measure::{Measured, measure};

/// A length that stands somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sized {
    place: String,
    lines: usize,
}

/// How long a kind of thing may be, in lines.
struct Limits {
    what: &'static str,
    /// The share of things that `usual` holds for, in percent.
    percentile: usize,
    usual: usize,
    longest: usize,
}

const FILES: Limits = Limits { what: "files", percentile: 50, usual: 120, longest: 400 };
const FUNCTIONS: Limits = Limits { what: "functions", percentile: 90, usual: 30, longest: 60 };

/// Prints the figures and every offender.
///
/// # Errors
/// A limit is broken, or a file is not Rust.
pub(crate) fn run(root: &Path) -> Result<()> {
    let (files, functions) = measure_all(root)?;
    let kept = [FILES.keep(files), FUNCTIONS.keep(functions)];
    ensure!(kept == [true, true], "the limits of size are broken");
    Ok(())
}

impl Limits {
    /// Prints the figures; answers whether the limits are kept.
    fn keep(&self, mut things: Vec<Sized>) -> bool {
        things.sort_by_key(|thing| thing.lines);
        let Self { what, percentile, usual, longest } = *self;
        let reached = at_percentile(&things, percentile);
        let top = things.last().map_or(0, |thing| thing.lines);
        eprintln!(
            "{} {what}: {percentile} % have at most {reached} lines (limit {usual}), the longest {top} (limit {longest})",
            things.len()
        );
        let offenders = things.iter().filter(|thing| thing.lines > longest);
        offenders.for_each(|thing| eprintln!("  too long: {} has {} lines", thing.place, thing.lines));
        if reached > usual {
            let over = things.iter().filter(|thing| thing.lines > usual);
            over.for_each(|thing| eprintln!("  long: {} has {} lines", thing.place, thing.lines));
        }
        reached <= usual && top <= longest
    }
}

/// The length that `percentile` percent of the sorted things do not exceed (nearest rank).
fn at_percentile(sorted: &[Sized], percentile: usize) -> usize {
    let rank = (sorted.len() * percentile).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0, |thing| thing.lines)
}

fn measure_all(root: &Path) -> Result<(Vec<Sized>, Vec<Sized>)> {
    let mut sources = Vec::new();
    for folder in source_folders(root)? {
        collect_sources(&folder, &mut sources)?;
    }
    let mut measured = Vec::new();
    let mut only_tests = BTreeSet::new();
    for path in sources {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let of_file = measure(&text).with_context(|| path.display().to_string())?;
        only_tests.extend(of_file.test_modules.iter().map(|module| module_folder(&path).join(module)));
        measured.push((path, of_file));
    }
    let is_production =
        |path: &Path| !path.with_extension("").ancestors().any(|ancestor| only_tests.contains(ancestor));
    measured.retain(|(path, _)| is_production(path));
    Ok(by_kind(root, measured))
}

fn by_kind(root: &Path, measured: Vec<(PathBuf, Measured)>) -> (Vec<Sized>, Vec<Sized>) {
    let (mut files, mut functions) = (Vec::new(), Vec::new());
    for (path, Measured { lines, functions: found, .. }) in measured {
        let place = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        functions.extend(found.into_iter().map(|function| Sized {
            place: format!("{place}:{} {}", function.line, function.name),
            lines: function.lines,
        }));
        files.push(Sized { place, lines });
    }
    (files, functions)
}

fn source_folders(root: &Path) -> Result<Vec<PathBuf>> {
    let mut members = vec![root.join("bench"), root.join("e2e"), root.join("simulation"), root.join("xtask")];
    for entry in fs::read_dir(root.join("crates"))? {
        members.push(entry?.path());
    }
    Ok(members.into_iter().map(|member| member.join("src")).filter(|folder| folder.is_dir()).collect())
}

fn collect_sources(folder: &Path, sources: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_sources(&path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
    Ok(())
}

/// The folder of a file's modules: its own for `lib.rs`, `main.rs` and `mod.rs`, else the one of its name.
fn module_folder(path: &Path) -> PathBuf {
    let is_root =
        ["lib", "main", "mod"].iter().any(|root| path.file_stem().is_some_and(|stem| stem == *root));
    if is_root { path.parent().unwrap_or(path).to_owned() } else { path.with_extension("") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(lines: impl IntoIterator<Item = usize>) -> Vec<Sized> {
        lines.into_iter().map(|lines| Sized { place: String::new(), lines }).collect()
    }

    #[test]
    fn one_function_above_the_limit_breaks_it() {
        assert!(FUNCTIONS.keep(sized([60, 1, 1, 1, 1, 1, 1, 1, 1, 1])));
        assert!(!FUNCTIONS.keep(sized([61, 1, 1, 1, 1, 1, 1, 1, 1, 1])));
    }

    #[test]
    fn many_long_functions_break_the_limit_though_none_is_too_long() {
        assert!(FUNCTIONS.keep(sized([31, 30, 30, 30, 30, 30, 30, 30, 30, 30])));
        assert!(!FUNCTIONS.keep(sized([31, 31, 30, 30, 30, 30, 30, 30, 30, 30])));
    }

    #[test]
    fn half_of_the_files_may_be_long() {
        assert!(FILES.keep(sized([400, 400, 120, 120])));
        assert!(!FILES.keep(sized([400, 400, 121, 120, 120, 121])));
    }

    #[test]
    fn a_file_that_is_compiled_for_tests_only_does_not_count() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let source = folder.path().join("crates/one/src");
        fs::create_dir_all(source.join("order/tests"))?;
        fs::write(source.join("lib.rs"), "mod order;\nfn one() {}\n")?;
        fs::write(source.join("order.rs"), "#[cfg(test)]\nmod tests;\nfn two() {}\n")?;
        fs::write(source.join("order/tests.rs"), "fn three() {}\n")?;
        fs::write(source.join("order/tests/deep.rs"), "fn four() {}\n")?;
        let (files, functions) = measure_all(folder.path())?;
        assert_eq!(files.len(), 2);
        assert_eq!(functions.len(), 2);
        Ok(())
    }
}
