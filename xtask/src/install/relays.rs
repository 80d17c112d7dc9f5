//! Debian's mail relays: unpacked and not installed, since they exclude each other, start by themselves, and would take over
//! this machine's mail. `e2e/peers/mail_relays.sh` runs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::steps::succeed;

/// Postfix, Exim and Dovecot's submission service, and what they need beyond what is everywhere: 9 MB.
const PACKAGES: [&str; 6] =
    ["dovecot-core", "dovecot-submissiond", "exim4-base", "exim4-daemon-light", "libidn12", "postfix"];

/// Unpacks them once; answers where.
///
/// # Errors
/// Debian's packages cannot be had here.
pub(super) fn unpack(folder: &Path) -> Result<PathBuf> {
    let (unpacked, mark) = (folder.join("unpacked"), folder.join("installed.txt"));
    let wanted = PACKAGES.join(" ");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(unpacked);
    }
    let _was_never_there = fs::remove_dir_all(folder);
    fs::create_dir_all(&unpacked)?;
    let apt = |args: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.current_dir(folder).args(args).stdin(Stdio::null()).stdout(Stdio::null());
        succeed(&mut apt).with_context(|| format!("apt-get {}", args.join(" ")))
    };
    let download = || apt(&[&["download", "--quiet"], &PACKAGES[..]].concat());
    // The lists may be missing, or name what is no longer there.
    if download().is_err() {
        apt(&["update", "--quiet"])?;
        download()?;
    }
    for entry in fs::read_dir(folder)? {
        let package = entry?.path();
        if package.extension().is_some_and(|extension| extension == "deb") {
            succeed(Command::new("dpkg").arg("--extract").arg(&package).arg(&unpacked))?;
        }
    }
    // Beside the machine's own folder of that name, which is a link, it would hide that.
    let _is_not_there = fs::remove_dir_all(unpacked.join("lib"));
    fs::write(mark, wanted)?;
    Ok(unpacked)
}
