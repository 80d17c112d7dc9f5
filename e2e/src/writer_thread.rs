//! What the program's writer thread is doing at this moment, from outside.

use std::fs;
use std::path::{Path, PathBuf};

/// The name of the thread that writes to the store.
pub const NAME: &str = "writer";

/// System calls that a commit consists of. Source: Linux, x86-64 and aarch64 tables.
#[cfg(target_arch = "x86_64")]
const COMMIT: [(&str, &str); 3] = [("75", "fdatasync"), ("74", "fsync"), ("18", "pwrite64")];
#[cfg(target_arch = "aarch64")]
const COMMIT: [(&str, &str); 3] = [("83", "fdatasync"), ("82", "fsync"), ("68", "pwrite64")];

/// A thread of another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    folder: PathBuf,
}

impl Thread {
    /// The first thread of that name in a process; `None` if it has none, or is not ours to look at.
    #[must_use]
    pub fn named(name: &str, process: u32) -> Option<Self> {
        let entries = fs::read_dir(format!("/proc/{process}/task")).ok()?;
        let folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut wanted = folders.filter(|folder| is_named(folder, name));
        wanted.next().map(|folder| Self { folder })
    }

    /// The part of a commit that it waits in, by the name of the system call; `None` if it is elsewhere, runs, or ended.
    #[must_use]
    pub fn in_commit(&self) -> Option<&'static str> {
        let call = fs::read_to_string(self.folder.join("syscall")).ok()?;
        let number = call.split(' ').next()?;
        COMMIT.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
    }

    /// Whether it stands still, since its process was stopped, or is no more.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        // Source: proc(5): the name, in brackets, may hold anything; the state follows it.
        let stat = fs::read_to_string(self.folder.join("stat"));
        stat.map_or(true, |stat| {
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['T', 'Z', 'X']))
        })
    }
}

fn is_named(folder: &Path, name: &str) -> bool {
    fs::read_to_string(folder.join("comm")).is_ok_and(|found| found.trim_end() == name)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_thread_that_syncs_a_file_is_seen_in_the_call() {
        let done = AtomicBool::new(false);
        let seen = thread::scope(|scope| {
            let writer = thread::Builder::new().name(NAME.to_owned());
            writer.spawn_scoped(scope, || write_until(&done)).unwrap();
            let seen = watch(Duration::from_secs(10));
            done.store(true, Ordering::Relaxed);
            seen
        });
        assert!(seen, "the thread was never seen in a sync");
    }

    #[test]
    fn a_thread_that_is_not_there_is_not_found() {
        assert_eq!(Thread::named("no such thread", std::process::id()), None);
    }

    fn write_until(done: &AtomicBool) {
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        while !done.load(Ordering::Relaxed) {
            file.write_all(&vec![0; 65_536]).unwrap();
            file.sync_data().unwrap();
        }
    }

    fn watch(longest: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < longest {
            let thread = Thread::named(NAME, std::process::id());
            if thread.and_then(|thread| thread.in_commit()).is_some() {
                return true;
            }
        }
        false
    }
}
