//! Reading what a command is given: a file, or standard input.

use std::io::Read;
use std::path::Path;

use anyhow::Context;

/// The most that is read, in bytes: more than any event or secret has.
const MAX: u64 = 16 * 1024 * 1024;

/// All that stands in the file, or, for `-`, that comes over standard input.
///
/// # Errors
/// It cannot be read, or is too large.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?)
    };
    let mut bytes = Vec::new();
    let length = source.take(MAX + 1).read_to_end(&mut bytes);
    let length = length.with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(length as u64 <= MAX, "{} is larger than 16 MiB", path.display());
    Ok(bytes)
}
