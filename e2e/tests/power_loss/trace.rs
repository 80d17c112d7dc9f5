//! What a program did to its files and told its clients, in the order in which it began to.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};

use crate::strace::{Call, bytes, described, parse, sent};
use crate::told::{self, Told};

/// Something that the program did, between two places in the trace.
#[derive(Debug)]
pub(crate) struct Event {
    /// The place before which it had done nothing.
    pub(crate) entered: usize,
    /// The place from which on it had done everything; `None`: the program ended first.
    pub(crate) ended: Option<usize>,
    /// What it did.
    pub(crate) action: Action,
}

/// A file, whatever names it has had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FileId(pub(crate) usize);

/// What it did. Paths are relative to the program's home.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Made an empty file under a new name.
    Create { path: String, file: FileId },
    /// Made a folder.
    MakeFolder { path: String },
    /// Gave a file another name, in the same folder.
    Rename { from: String, to: String },
    /// Took a name away.
    Remove { path: String },
    /// Wrote into a file.
    Write { file: FileId, offset: usize, data: Vec<u8> },
    /// Set a file's length.
    Resize { file: FileId, length: usize },
    /// Waited until what was written to the file lasts.
    SyncFile { file: FileId },
    /// Waited until the folder's names last.
    SyncFolder { path: String },
    /// Began to send something that a promise follows from.
    Tell(Told),
}

/// A whole trace.
#[derive(Debug)]
pub(crate) struct Trace {
    /// All that matters, in the order in which it began.
    pub(crate) events: Vec<Event>,
    /// The first place after everything.
    pub(crate) end: usize,
}

impl Trace {
    /// Reads what strace wrote of a program that ran in the folder `home`.
    ///
    /// # Errors
    /// It changed its files in a way that is not understood here: nothing could be said of a replay.
    pub(crate) fn parse(text: &str, home: &str) -> Result<Self> {
        let (calls, end) = parse(text)?;
        let mut reader = Reader { home, ..Reader::default() };
        let mut events = Vec::new();
        for call in calls {
            let actions =
                reader.read(&call).with_context(|| format!("{}({:.300}", call.name, call.arguments))?;
            let event = |action| Event { entered: call.entered, ended: call.ended, action };
            events.extend(actions.into_iter().map(event));
        }
        Ok(Self { events, end })
    }
}

/// Whether the file is `SQLite`'s index of its log. It is written through shared memory, which no trace shows; it
/// need not survive, since whoever opens the database first makes it anew from the log. Source:
/// <https://sqlite.org/walformat.html>, section 2: the wal-index is transient.
pub(crate) fn is_volatile(path: &str) -> bool {
    path.ends_with("-shm")
}

/// What the names and descriptors stand for, as the program sees them.
#[derive(Debug, Default)]
struct Reader<'a> {
    home: &'a str,
    files: HashMap<String, FileId>,
    volatile: HashSet<FileId>,
    made: usize,
    /// Where the next `write` to a descriptor goes.
    positions: HashMap<usize, usize>,
}

impl Reader<'_> {
    fn read(&mut self, call: &Call) -> Result<Vec<Action>> {
        match call.name.as_str() {
            "openat" => self.open(call),
            "mkdir" | "rename" | "unlink" => self.name(call),
            "mmap" => self.map(call),
            _ => match described(call.argument(0)) {
                Some((_, path)) if path.starts_with("socket:") => {
                    Ok(told::read(&sent(&call.arguments)).into_iter().map(Action::Tell).collect())
                }
                Some((descriptor, path)) => {
                    if let Some(path) = self.within_home(&path) {
                        return self.change(call, descriptor, path);
                    }
                    // Only the store writes like this, and nothing of it may hang on another disk.
                    ensure!(call.name != "pwrite64", "the store writes outside of the data folder");
                    Ok(Vec::new())
                }
                None => self.refuse(call),
            },
        }
    }

    /// The path relative to home, if it is home's or in there.
    fn within_home<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.home)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }

    fn open(&mut self, call: &Call) -> Result<Vec<Action>> {
        let Some((descriptor, path)) = described(&call.returned) else { return Ok(Vec::new()) };
        let Some(path) = self.within_home(&path) else { return Ok(Vec::new()) };
        let flags: Vec<_> = call.argument(2).split('|').collect();
        ensure!(
            !flags.contains(&"O_APPEND") && !flags.contains(&"O_TMPFILE"),
            "flags that are not known here"
        );
        self.positions.insert(descriptor, 0);
        if let Some(file) = self.files.get(path).copied() {
            let emptied = flags.contains(&"O_TRUNC") && !self.volatile.contains(&file);
            return Ok(emptied.then_some(Action::Resize { file, length: 0 }).into_iter().collect());
        }
        if !flags.contains(&"O_CREAT") {
            return Ok(Vec::new());
        }
        let file = FileId(self.made);
        self.made += 1;
        self.files.insert(path.to_owned(), file);
        if is_volatile(path) {
            self.volatile.insert(file);
        }
        Ok(vec![Action::Create { path: path.to_owned(), file }])
    }

    /// A call that changes names. It is told whole paths, since home is given as one.
    fn name(&mut self, call: &Call) -> Result<Vec<Action>> {
        if call.failed() {
            return Ok(Vec::new());
        }
        let [from, to] = [0, 1].map(|number| bytes(call.argument(number).trim_matches('"')));
        let (from, to) = (String::from_utf8(from)?, String::from_utf8_lossy(&to).into_owned());
        let Some(from) = self.within_home(&from).map(str::to_owned) else { return Ok(Vec::new()) };
        // A socket holds nothing, and each start makes it anew.
        if from.ends_with("/orderbell.sock") {
            return Ok(Vec::new());
        }
        if call.name == "mkdir" {
            return Ok(vec![Action::MakeFolder { path: from }]);
        }
        let file = self.files.remove(&from).context("a file that was not seen to be made")?;
        if call.name == "unlink" {
            return Ok(vec![Action::Remove { path: from }]);
        }
        let to = self.within_home(&to).context("a file that leaves home")?.to_owned();
        ensure!(folder_of(&from) == folder_of(&to), "a file that moves to another folder");
        self.files.insert(to.clone(), file);
        Ok(vec![Action::Rename { from, to }])
    }

    /// A call on a descriptor of a file or folder in home.
    fn change(&mut self, call: &Call, descriptor: usize, path: &str) -> Result<Vec<Action>> {
        let Some(file) = self.files.get(path).copied() else {
            ensure!(
                matches!(call.name.as_str(), "fsync" | "fdatasync"),
                "a call on a file that is not known"
            );
            let synced = call.result() == Some(0);
            return Ok(synced.then(|| Action::SyncFolder { path: path.to_owned() }).into_iter().collect());
        };
        if self.volatile.contains(&file) {
            return Ok(Vec::new());
        }
        let action = match call.name.as_str() {
            _ if call.failed() => return Ok(Vec::new()),
            "fsync" | "fdatasync" => Action::SyncFile { file },
            "ftruncate" => Action::Resize { file, length: call.argument(1).parse()? },
            "pwrite64" => Action::Write { file, offset: call.argument(3).parse()?, data: written(call) },
            "write" => {
                let position = self.positions.get_mut(&descriptor).context("a copied descriptor")?;
                let (offset, data) = (*position, written(call));
                *position += data.len();
                Action::Write { file, offset, data }
            }
            other => bail!("{other} is not known here"),
        };
        Ok(vec![action])
    }

    /// What is written through shared memory is not seen; only a volatile file may be.
    fn map(&self, call: &Call) -> Result<Vec<Action>> {
        let file =
            described(call.argument(4)).and_then(|(_, path)| Some(self.within_home(&path)?.to_owned()));
        let writes = call.arguments.contains("MAP_SHARED") && call.arguments.contains("PROT_WRITE");
        ensure!(!writes || file.is_none_or(|path| is_volatile(&path)), "a file is written through memory");
        Ok(Vec::new())
    }

    /// Other calls may not touch home.
    fn refuse(&self, call: &Call) -> Result<Vec<Action>> {
        let (arguments, home) = (bytes(&call.arguments), self.home.as_bytes());
        let touches_home = arguments.windows(home.len()).any(|window| window == home);
        let may_touch_anything = matches!(call.name.as_str(), "io_uring_setup" | "sync" | "syncfs");
        ensure!(!touches_home && !may_touch_anything, "it is not known here");
        Ok(Vec::new())
    }
}

/// The folder that a path's last name is in; home's own is empty.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What a call wrote: all that it returned to have written, or, if it did not return, all that it was given.
fn written(call: &Call) -> Vec<u8> {
    let mut data = sent(&call.arguments);
    data.truncate(call.result().unwrap_or(data.len()));
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(lines: &[&str]) -> Result<Vec<Action>> {
        let text: Vec<_> = lines.iter().map(|line| format!("7 {line}\n")).collect();
        Ok(Trace::parse(&text.concat(), "/h")?.events.into_iter().map(|event| event.action).collect())
    }

    #[test]
    fn a_file_stays_the_same_under_its_next_name_and_a_new_one_of_the_old_name_is_another() {
        let open = r#"openat(AT_FDCWD</h>, "\x61", O_WRONLY|O_CREAT, 0600) = 3</h/a>"#;
        let lines = [
            open,
            r#"write(3</h/a>, "\x41\x42", 2) = 2"#,
            r#"write(3</h/a>, "\x43", 1) = 1"#,
            r#"rename("\x2f\x68\x2f\x61", "\x2f\x68\x2f\x62") = 0"#,
            "fsync(3</h/b>) = 0",
            "fsync(4</h>) = 0",
            "fsync(3</h/b>) = -1 EIO (Input/output error)",
            open,
        ];
        let (one, other) = (FileId(0), FileId(1));
        let path = |name: &str| name.to_owned();
        let expected = [
            Action::Create { path: path("a"), file: one },
            Action::Write { file: one, offset: 0, data: b"AB".to_vec() },
            Action::Write { file: one, offset: 2, data: b"C".to_vec() },
            Action::Rename { from: path("a"), to: path("b") },
            Action::SyncFile { file: one },
            Action::SyncFolder { path: path("") },
            Action::Create { path: path("a"), file: other },
        ];
        assert_eq!(actions(&lines).unwrap(), expected);
    }

    #[test]
    fn what_the_replay_would_not_understand_is_refused_and_what_is_elsewhere_is_not_looked_at() {
        let open = r#"openat(AT_FDCWD</h>, "\x61", O_RDWR|O_CREAT, 0600) = 3</h/a>"#;
        let shared = "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 3</h/a>, 0) = 0x7f00";
        assert!(actions(&[open, shared]).is_err());
        assert!(actions(&[open, "fallocate(3</h/a>, 0, 0, 4096) = 0"]).is_err());
        assert!(actions(&[open, "lseek(3</h/a>, 8, SEEK_SET) = 8"]).is_err());
        assert!(actions(&[r#"truncate("\x2f\x68\x2f\x61", 0) = 0"#]).is_err());
        assert!(actions(&[r#"pwrite64(3</var/tmp/a>, "\x41", 1, 0) = 1"#]).is_err());
        assert!(actions(&["io_uring_setup(8, {flags=0}) = 5"]).is_err());
        let elsewhere = ["fallocate(3</e/a>, 0, 0, 4096) = 0", &shared.replace("/h/a", "/e/a")];
        assert_eq!(actions(&elsewhere).unwrap(), []);
        let index = open.replace("/h/a", "/h/a-shm");
        assert_eq!(actions(&[&index, &shared.replace("/h/a", "/h/a-shm")]).unwrap().len(), 1);
    }
}
