//! The documents against the sources: what they name is there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// The folders in which what documents name lies.
const FOLDERS: [&str; 8] = ["bench", "crates", "deploy", "docs", "e2e", "simulation", "xtask", ".config"];

/// The workspace's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Every file and folder below a folder, from the workspace's on.
fn below(folder: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from(folder)];
    let mut next = 0;
    while let Some(path) = found.get(next) {
        let whole = root().join(path);
        if whole.is_dir() {
            let entries = fs::read_dir(&whole).unwrap().map(|entry| path.join(entry.unwrap().file_name()));
            found.extend(entries.collect::<Vec<_>>());
        }
        next += 1;
    }
    found
}

/// The documents, with their text.
fn documents() -> Vec<(PathBuf, String)> {
    let of_folders = FOLDERS.into_iter().flat_map(below);
    let at_the_top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(PathBuf::from);
    let documents = of_folders.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents
        .chain(at_the_top)
        .map(|path| (path.clone(), fs::read_to_string(root().join(path)).unwrap()))
        .collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Whether a text between backticks is the place of something: a folder, or a file of Rust or SQL. `<name>` is any.
fn is_place(text: &str) -> bool {
    let is_rust =
        Path::new(text).extension().is_some_and(|extension| extension == "rs" || extension == "sql");
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_/.-".contains(c);
    text.chars().all(allowed) && !text.starts_with(['/', '.', '-']) && (is_rust || text.ends_with('/'))
}

#[test]
fn what_the_architecture_and_the_records_of_decisions_name_is_there() {
    let there: Vec<_> = FOLDERS.into_iter().flat_map(below).collect();
    let mut missing = Vec::new();
    for (document, text) in documents() {
        let tells_places = document.starts_with("docs/adr") || document.ends_with("ARCHITECTURE.md");
        for place in quoted(&text).filter(|place| tells_places && is_place(place)) {
            if !there.iter().any(|path| path.ends_with(place.trim_end_matches('/'))) {
                missing.push(format!("{}: {place}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut dead = Vec::new();
    for (document, text) in documents() {
        let folder = root().join(document.parent().unwrap());
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let is_of_ours = !link.is_empty() && !link.contains(':') && !link.contains(char::is_whitespace);
            if is_of_ours && !folder.join(link).exists() {
                dead.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}
