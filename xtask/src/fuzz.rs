//! `cargo xtask fuzz`: input at random for what reads others' words.

use std::path::Path;

use anyhow::Result;

use crate::cargo::cargo;
use crate::steps::succeed;

/// Runs every test whose name begins with `fuzzed_`, one after the other, each for `seconds`. They run among the other
/// tests, too, each with a few inputs.
///
/// # Errors
/// Some input broke its reader; the test tells which, and the seed that makes it again.
pub(crate) fn run(root: &Path, seconds: u64) -> Result<()> {
    let test =
        ["test", "--package", "orderbell-channels", "--all-features", "--lib", "--profile", "simulation"];
    let which = ["--", "fuzzed_", "--nocapture", "--test-threads", "1"];
    let mut fuzz = cargo(root, &[&test[..], &which[..]].concat());
    succeed(fuzz.env("ORDERBELL_FUZZ_SECONDS", seconds.to_string()))
}
