//! The template for AWS against the program that it deploys: what the functions may do, how the stream is read, what
//! is set, how the table is laid out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod document;
mod mapping;
mod permissions;
mod sdk_calls;
mod settings;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Every Rust file below a folder of the workspace.
fn sources(folder: &str) -> Vec<String> {
    let mut folders = vec![root().join(folder)];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(extension) if extension == "rs" => files.push(path),
                _ => {}
            }
        }
    }
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}
