//! Where the peers' programs are.

use std::env;
use std::path::{Path, PathBuf};

/// The Python that has the peers' packages: `ORDERBELL_PYTHON`, or the one that `cargo xtask test` installs.
#[must_use]
pub fn python() -> PathBuf {
    let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/python/bin/python");
    env::var_os("ORDERBELL_PYTHON").map_or_else(installed, PathBuf::from)
}

/// A peer's program in `e2e/peers`.
#[must_use]
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}
