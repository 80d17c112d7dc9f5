//! A folder in which a database is made whole before it gets its name.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use crate::OpenError;
use crate::files::companion_file;
use crate::opening::{DATABASE, LOCK, io_error, private_file};

/// Held by whoever works in the folder.
const STAGING_LOCK: &str = "staging.lock";
/// What SQLite may leave beside a database.
pub(crate) const COMPANION_SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The folder, for its owner alone. What a process that died left in it is taken away first; what is not
/// [installed](Self::install) is taken away in the end.
#[derive(Debug)]
pub(crate) struct Staging {
    pub(crate) folder: PathBuf,
    lock: Option<File>,
}

impl Staging {
    /// Makes the folder, or takes over what a process that died left of it.
    pub(crate) fn begin(folder: &Path) -> Result<Self, OpenError> {
        let in_the_folder = |error| io_error(folder, error);
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                left_by_us(folder).map_err(in_the_folder)?;
            }
            Err(error) => return Err(in_the_folder(error)),
        }
        let lock = private_file(&folder.join(STAGING_LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked { folder: folder.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(in_the_folder(error)),
        }
        let staging = Self { folder: folder.to_owned(), lock: Some(lock) };
        staging.clear().map_err(in_the_folder)?;
        Ok(staging)
    }

    /// Where the database is made.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    /// Gives the database, whole and on disk, its name in a folder of the same file system.
    pub(crate) fn install(self, at: &Path) -> io::Result<()> {
        File::open(self.file())?.sync_all()?;
        // Nothing is overwritten, whatever came there meanwhile.
        rustix::fs::renameat_with(CWD, self.file(), CWD, at, RenameFlags::NOREPLACE)?;
        File::open(folder_of(at))?.sync_all()
    }

    fn clear(&self) -> io::Result<()> {
        let file = self.file();
        let companions = COMPANION_SUFFIXES.map(|suffix| companion_file(&file, suffix));
        for path in [file, self.folder.join(LOCK)].iter().chain(&companions) {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Staging {
    /// What cannot be taken away now is taken away by the next that stages here.
    fn drop(&mut self) {
        let _ = self.clear();
        let _ = fs::remove_file(self.folder.join(STAGING_LOCK));
        let _ = fs::remove_dir(&self.folder);
        drop(self.lock.take());
    }
}

/// What a process of this user's left: a folder, not a link to one, that is nobody else's, with our lock in it or
/// nothing. Whatever else has the name is somebody's, and is left as it is.
fn left_by_us(folder: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(folder)?;
    let ours =
        found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o777 == 0o700;
    if ours && (folder.join(STAGING_LOCK).exists() || fs::read_dir(folder)?.next().is_none()) {
        return Ok(());
    }
    Err(io::Error::other("it is in the way, and no backup or restore of this user left it: move it away"))
}

/// The folder that a file is in.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
