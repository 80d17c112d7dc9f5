//! Checks the owner and the mode of a file before it is read: who made it, and who else could have written or read it.
//!
//! Trusted are this process's user and root; `ORDERBELL_TRUST` names others, with commas between them: `user:1000`,
//! `group:1000`, or `everyone` where nobody else can log in, as in a container. It is read from the environment alone:
//! no file vouches for itself.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::{getegid, geteuid};

/// The environment variable that names whom to trust besides.
const TRUST_VARIABLE: &str = "ORDERBELL_TRUST";
/// The largest file that is read, in bytes: a part of one would be taken for all of it.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// What others may do with a file that is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileAccess {
    /// Read it.
    Public,
    /// Nothing.
    Secret,
}

/// The owners whose files are trusted.
#[derive(Debug, Default, PartialEq, Eq)]
struct TrustedOwners {
    user: u32,
    group: u32,
    users: Vec<u32>,
    groups: Vec<u32>,
    everyone: bool,
}

/// Reads a file if its owner and mode can be trusted. What is no plain file is not waited for.
///
/// # Errors
/// `NotFound`; `PermissionDenied`, in words, for a file that is not to be trusted.
pub(crate) fn read(path: &Path, access: FileAccess) -> io::Result<Vec<u8>> {
    let trusted = TrustedOwners::here()?;
    check_link(path, &trusted)?;
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(refused("is no plain file".to_owned()));
    }
    trusted.check(&found, access, path)?;
    let mut content = Vec::new();
    let length = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
    if length as u64 > MAX_FILE_BYTES {
        return Err(refused("is larger than 1 MiB".to_owned()));
    }
    Ok(content)
}

/// Checks owner and mode of a file or folder that others may read, without reading it. One that is not there is nobody's.
///
/// # Errors
/// `PermissionDenied`, in words, if it is not to be trusted.
pub(crate) fn check_path(path: &Path) -> io::Result<()> {
    let trusted = TrustedOwners::here()?;
    let found = check_link(path, &trusted).and_then(|()| fs::metadata(path));
    match found {
        Ok(found) => trusted.check(&found, FileAccess::Public, path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.raw_os_error().is_some() && error.kind() == ErrorKind::PermissionDenied => {
            Err(explain_closed(path, trusted.user).unwrap_or(error))
        }
        Err(error) => Err(error),
    }
}

/// Why a path is closed to this user: the nearest folder above it that can be looked at belongs to somebody else.
fn explain_closed(path: &Path, me: u32) -> Option<io::Error> {
    let (folder, found) = path.ancestors().skip(1).find_map(|above| {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        fs::metadata(above).ok().map(|found| (above, found))
    })?;
    let (owner, mode, folder) = (found.uid(), found.mode() & 0o7777, folder.display());
    Some(refused(format!(
        "is closed to you (user {me}): {folder} belongs to user {owner}, with mode {mode:04o}. Run the command as that user, \
         as in `sudo -u '#{owner}' orderbell …`, or name a server with --url (ORDERBELL_URL)"
    )))
}

/// Whether a user's files and sockets are trusted.
pub(crate) fn is_trusted_owner(user: u32) -> bool {
    TrustedOwners::here().is_ok_and(|trusted| trusted.trusts(user))
}

/// Makes a file for its owner alone, which must not be there.
pub(crate) fn make_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Checks who made a link: they may lead it elsewhere at any time.
fn check_link(path: &Path, trusted: &TrustedOwners) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() && !trusted.trusts(found.uid()) {
        return Err(refused(format!("is a link that user {} made", found.uid())));
    }
    Ok(())
}

fn refused(why: String) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, why)
}

impl TrustedOwners {
    fn here() -> io::Result<Self> {
        let own = Self { user: geteuid().as_raw(), group: getegid().as_raw(), ..Self::default() };
        let named = std::env::var_os(TRUST_VARIABLE).unwrap_or_default();
        own.with_named(&named.to_string_lossy())
    }

    fn with_named(mut self, named: &str) -> io::Result<Self> {
        for entry in named.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match entry.split_once(':').map(|(kind, id)| (kind, id.parse())) {
                Some(("user", Ok(id))) => self.users.push(id),
                Some(("group", Ok(id))) => self.groups.push(id),
                None if entry == "everyone" => self.everyone = true,
                _ => {
                    let how = "must be user:NUMBER, group:NUMBER or everyone, with commas between them";
                    return Err(io::Error::new(ErrorKind::InvalidInput, format!("{TRUST_VARIABLE}: {how}")));
                }
            }
        }
        Ok(self)
    }

    fn trusts(&self, user: u32) -> bool {
        self.everyone || user == 0 || user == self.user || self.users.contains(&user)
    }

    fn check(&self, found: &Metadata, access: FileAccess, path: &Path) -> io::Result<()> {
        let (owner, group, mode) = (found.uid(), found.gid(), found.mode() & 0o7777);
        self.objection(owner, group, mode, access, &path.display().to_string())
            .map_or(Ok(()), |why| Err(refused(why)))
    }

    /// Why a file of that owner and mode is not to be trusted, and what mends that.
    fn objection(&self, owner: u32, group: u32, mode: u32, access: FileAccess, path: &str) -> Option<String> {
        if self.everyone {
            return None;
        }
        let whose = format!("belongs to user {owner}, group {group}, with mode {mode:04o}");
        if !self.trusts(owner) {
            let me = self.user;
            return Some(format!(
                "{whose}: its owner is neither you (user {me}) nor root. If it is yours, `chown {me} {path}`; if you \
                 trust its owner, set {TRUST_VARIABLE}=user:{owner}"
            ));
        }
        // A group of its owner's number is that user's own, as most systems give everyone one.
        let is_alone = group == owner || self.groups.contains(&group);
        if mode & 0o002 != 0 || (mode & 0o020 != 0 && !is_alone) {
            return Some(format!("{whose}: others can change it. `chmod go-w {path}` mends that"));
        }
        let for_us = owner == 0 && group == self.group;
        if access == FileAccess::Secret && (mode & 0o004 != 0 || (mode & 0o040 != 0 && !is_alone && !for_us))
        {
            return Some(format!(
                "{whose}: others can read the secret in it. `chmod go-rwx {path}` mends that"
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const ME: u32 = 1000;

    fn objection(owner: u32, group: u32, mode: u32, access: FileAccess, named: &str) -> Option<String> {
        let me = TrustedOwners { user: ME, group: ME, ..TrustedOwners::default() };
        me.with_named(named).unwrap().objection(owner, group, mode, access, "f")
    }

    #[test]
    fn a_file_is_trusted_by_its_owner_and_by_who_else_could_have_written_it() {
        for (owner, group, mode, why) in [
            (ME, ME, 0o600, ""),
            (ME, 100, 0o644, ""),
            (ME, ME, 0o664, ""),
            (0, 0, 0o644, ""),
            (ME, 100, 0o664, "others can change it"),
            (ME, ME, 0o666, "others can change it"),
            (0, 0, 0o1777, "others can change it"),
            (1001, ME, 0o600, "neither you (user 1000) nor root"),
            (65534, 65534, 0o600, "set ORDERBELL_TRUST=user:65534"),
        ] {
            let said = objection(owner, group, mode, FileAccess::Public, "").unwrap_or_default();
            assert!(
                said.contains(why) && said.is_empty() == why.is_empty(),
                "{owner} {group} {mode:o}: {said}"
            );
        }
    }

    #[test]
    fn a_secret_is_trusted_if_nobody_else_can_read_it() {
        for (owner, group, mode, good) in [
            (ME, ME, 0o600, true),
            (ME, ME, 0o640, true),
            (0, ME, 0o640, true),
            (ME, 100, 0o640, false),
            (0, 100, 0o640, false),
            (ME, ME, 0o604, false),
            (ME, ME, 0o644, false),
            (0, 0, 0o444, false),
        ] {
            let said = objection(owner, group, mode, FileAccess::Secret, "");
            assert_eq!(said.is_none(), good, "{owner} {group} {mode:o}: {said:?}");
        }
    }

    #[test]
    fn others_are_trusted_once_they_are_named() {
        assert_eq!(objection(1001, 1001, 0o600, FileAccess::Secret, "user:1001"), None);
        assert_eq!(objection(0, 2000, 0o660, FileAccess::Secret, "user:7, group:2000"), None);
        assert!(objection(1001, 1001, 0o600, FileAccess::Secret, "user:1002,group:1001").is_some());
        assert_eq!(objection(1001, 3, 0o777, FileAccess::Secret, "everyone"), None);
        for wrong in ["1001", "user:", "user:me", "root", "user:1001;group:3", "all"] {
            assert!(TrustedOwners::default().with_named(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_file_is_neither_read_nor_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(read(&at("missing"), FileAccess::Public).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(check_path(&at("missing")).is_ok());
        symlink("/dev/zero", at("endless")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        assert!(read(&at("endless"), FileAccess::Public).is_err());
        assert!(read(&at("dangling"), FileAccess::Public).is_err());
        assert!(read(folder.path(), FileAccess::Public).is_err());
        fs::write(at("secret"), "s").unwrap();
        fs::set_permissions(at("secret"), fs::Permissions::from_mode(0o644)).unwrap();
        symlink("secret", at("link")).unwrap();
        assert_eq!(read(&at("link"), FileAccess::Public).unwrap(), b"s");
        assert!(read(&at("link"), FileAccess::Secret).unwrap_err().to_string().contains("0644"));
        for (length, is_read) in [(MAX_FILE_BYTES, true), (MAX_FILE_BYTES + 1, false)] {
            fs::write(at("large"), vec![b'#'; usize::try_from(length).unwrap()]).unwrap();
            assert_eq!(read(&at("large"), FileAccess::Public).is_ok(), is_read, "{length}");
        }
        assert!(make_private(&at("link")).is_err() && make_private(&at("dangling")).is_err());
    }
}
