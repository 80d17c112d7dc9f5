//! The store's files as they were opened: what is written to others than those at their paths would be lost.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often they are looked at, at most: four system calls.
const INTERVAL: Duration = Duration::from_millis(100);

/// The database, what SQLite keeps beside it while it is open, and the folder's lock.
#[derive(Debug)]
pub(crate) struct Files {
    watched: Vec<Watched>,
    looked_at: Option<Instant>,
}

/// A file, by its path and by what tells it from another at that path.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Files {
    /// The files of an open database and of the lock that is held. `database` is what was found at its path before it was
    /// opened.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn opened(
        (path, database): (&Path, &Metadata),
        (lock_path, lock): (&Path, &File),
    ) -> io::Result<Self> {
        let mut watched = vec![Watched::new(path, database), Watched::new(lock_path, &lock.metadata()?)];
        for suffix in ["-wal", "-shm"] {
            let companion = companion_file(path, suffix);
            match fs::metadata(&companion) {
                Ok(found) => watched.push(Watched::new(&companion, &found)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { watched, looked_at: None })
    }

    /// Says which of them is no longer at its path, unless they were looked at a moment ago.
    #[expect(
        clippy::disallowed_methods,
        reason = "the writer's thread waits in real time, and only its speed depends on it"
    )]
    pub(crate) fn missing(&mut self) -> Option<String> {
        let now = Instant::now();
        if self.looked_at.is_some_and(|looked_at| now.duration_since(looked_at) < INTERVAL) {
            return None;
        }
        self.looked_at = Some(now);
        let gone = self.watched.iter().find(|watched| watched.is_gone())?;
        let path = gone.path.display();
        Some(format!("{path} is no longer the file that was opened: it was deleted, moved or replaced"))
    }
}

impl Watched {
    fn new(path: &Path, found: &Metadata) -> Self {
        Self { path: path.to_owned(), device: found.dev(), inode: found.ino() }
    }

    /// A path that cannot be looked at for the moment says nothing.
    fn is_gone(&self) -> bool {
        match fs::metadata(&self.path) {
            Ok(found) => (found.dev(), found.ino()) != (self.device, self.inode),
            Err(error) => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        }
    }
}

/// A file that SQLite keeps beside its database.
pub(crate) fn companion_file(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
