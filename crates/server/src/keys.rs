//! The secrets that lie in the data folder, made at the first start and readable by its owner alone.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, ensure};
use application::ports::Randomness;
use domain::link_token::LinkKey;

use crate::file_permissions::{self, FileAccess};

/// The admin key's file in the data folder.
pub(crate) const ADMIN_KEY_FILE: &str = "admin.key";
const LINK_KEY_FILE: &str = "link.key";
/// Every secret's file in the data folder.
pub(crate) const FILES: [&str; 2] = [ADMIN_KEY_FILE, LINK_KEY_FILE];

/// The admin key of this data folder, made if there is none.
pub(crate) fn admin_key(data: &Path, randomness: &dyn Randomness) -> anyhow::Result<String> {
    let path = data.join(ADMIN_KEY_FILE);
    let key = read_or_make(&path, || new_key("obk_admin_", randomness).into_bytes())?;
    let key = String::from_utf8(key).ok().map(|key| key.trim().to_owned()).unwrap_or_default();
    ensure!(key.len() >= 20, "{} holds no key; delete it to have a new one made", path.display());
    Ok(key)
}

/// The key behind the links in messages. If it is lost, the links that were sent no longer work.
pub(crate) fn link_key(data: &Path, randomness: &dyn Randomness) -> anyhow::Result<LinkKey> {
    let path = data.join(LINK_KEY_FILE);
    let key = read_or_make(&path, || randomness.bytes::<64>().to_vec())?;
    let key = key
        .try_into()
        .ok()
        .with_context(|| format!("{} is damaged: it must hold 64 bytes", path.display()))?;
    Ok(LinkKey::new(key))
}

/// The secrets that a data folder holds, each with its file's name.
pub(crate) fn kept_in(data: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut kept = Vec::new();
    for name in FILES {
        let path = data.join(name);
        match file_permissions::read(&path, FileAccess::Secret) {
            Ok(secret) => kept.push((name.to_owned(), secret)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
    Ok(kept)
}

/// Puts a secret into a data folder that has none of that name; answers the one that is there then.
pub(crate) fn restore(data: &Path, name: &str, secret: &[u8]) -> anyhow::Result<Vec<u8>> {
    read_or_make(&data.join(name), || secret.to_vec())
}

/// A new key: the prefix tells people what they are looking at.
pub(crate) fn new_key(prefix: &str, randomness: &dyn Randomness) -> String {
    let [one, other] = [(); 2].map(|()| u128::from_ne_bytes(randomness.bytes()));
    format!("{prefix}{one:032x}{other:032x}")
}

/// Reads a secret, or makes it: written whole under another name first, so that a crash leaves no half of it.
fn read_or_make(path: &Path, make: impl FnOnce() -> Vec<u8>) -> anyhow::Result<Vec<u8>> {
    match file_permissions::read(path, FileAccess::Secret) {
        Ok(secret) => return Ok(secret),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
    let secret = make();
    let unfinished = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        // What a crash left. What somebody else laid there is not ours to take away.
        file_permissions::check_path(&unfinished)?;
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = file_permissions::make_private(&unfinished)?;
        file.write_all(&secret)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(secret)
}
