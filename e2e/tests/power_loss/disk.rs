//! What of a program's files lasts at a place in its trace, and what may or may not be there when the power fails
//! then.
//!
//! The rules are POSIX's, weaker than what ext4 or XFS keep:
//!
//! - What was written to a file before a successful `fsync` or `fdatasync` of it began lasts once that has returned.
//!   Its length does too (fdatasync(2): what is needed to read the data back is written with it).
//! - What was written since may be there or not, each part by itself and in any order, as the kernel writes its cache
//!   back and the disk's own cache goes. See [`fate`](crate::fate).
//! - Syncing a file does not make its name last; syncing its folder does (fsync(2)). Of the names made, changed and
//!   taken since, any may be there, but no change of a name without the changes of it before.
//!
//! Sources: fsync(2), rename(2); "Atomic Commit in `SQLite`", section 2, <https://sqlite.org/atomiccommit.html>;
//! Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014, table 1: which file systems reorder what.

use std::collections::BTreeMap;

use crate::trace::{Action, Event, FileId, folder_of};

/// Whether syncs count. Without them the disk is one that lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syncs {
    /// What is synced lasts.
    Honoured,
    /// Nothing ever lasts for certain.
    Ignored,
}

/// A disk at the moment at which the power fails.
#[derive(Debug, Default)]
pub(crate) struct Disk<'a> {
    /// What the names stand for that last.
    pub(crate) names: BTreeMap<&'a str, Node>,
    /// Changes of names that may last.
    pub(crate) loose_names: Vec<&'a Event>,
    /// Every file that there was, named or not, by its id.
    pub(crate) files: BTreeMap<FileId, File<'a>>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    /// A file.
    File(FileId),
    /// A folder.
    Folder,
}

/// A file's content.
#[derive(Debug, Default)]
pub(crate) struct File<'a> {
    /// What lasts.
    pub(crate) lasting: Vec<u8>,
    /// Writes and changes of its length that may last, in their order.
    pub(crate) loose: Vec<&'a Event>,
}

impl<'a> Disk<'a> {
    /// The disk at `place`.
    pub(crate) fn at(place: usize, events: &'a [Event], syncs: Syncs) -> Self {
        let mut disk = Self::default();
        for event in events.iter().take_while(|event| event.entered < place) {
            disk.take_in(event, place, syncs);
        }
        disk
    }

    fn take_in(&mut self, event: &'a Event, place: usize, syncs: Syncs) {
        let has_synced = syncs == Syncs::Honoured && event.ended.is_some_and(|ended| ended < place);
        match &event.action {
            Action::Create { file, .. } => {
                self.files.insert(*file, File::default());
                self.loose_names.push(event);
            }
            Action::MakeFolder { .. } | Action::Rename { .. } | Action::Remove { .. } => {
                self.loose_names.push(event);
            }
            Action::Write { file, .. } | Action::Resize { file, .. } => {
                self.files.entry(*file).or_default().loose.push(event);
            }
            Action::SyncFile { file } if has_synced => {
                self.files.entry(*file).or_default().sync(event.entered);
            }
            Action::SyncFolder { path } if has_synced => self.sync_names(path, event.entered),
            Action::SyncFile { .. } | Action::SyncFolder { .. } | Action::Tell(_) => {}
        }
    }

    fn sync_names(&mut self, folder: &str, began: usize) {
        for event in std::mem::take(&mut self.loose_names) {
            let is_in_it = names(&event.action).iter().any(|name| folder_of(name) == folder);
            if is_in_it && is_over(event, began) {
                rename(&mut self.names, &event.action);
            } else {
                self.loose_names.push(event);
            }
        }
    }
}

impl File<'_> {
    fn sync(&mut self, began: usize) {
        let (lasting, loose): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.loose).into_iter().partition(|event| is_over(event, began));
        for event in lasting {
            write(&mut self.lasting, &event.action);
        }
        self.loose = loose;
    }
}

/// Whether it had been done when something else began.
pub(crate) fn is_over(event: &Event, began: usize) -> bool {
    event.ended.is_some_and(|ended| ended < began)
}

/// The names that an action changes.
pub(crate) fn names(action: &Action) -> Vec<&str> {
    match action {
        Action::Create { path, .. } | Action::MakeFolder { path } | Action::Remove { path } => vec![path],
        Action::Rename { from, to } => vec![from, to],
        _ => Vec::new(),
    }
}

/// Does to names what an action does.
pub(crate) fn rename<'a>(names: &mut BTreeMap<&'a str, Node>, action: &'a Action) {
    match action {
        Action::Create { path, file } => drop(names.insert(path, Node::File(*file))),
        Action::MakeFolder { path } => drop(names.insert(path, Node::Folder)),
        Action::Remove { path } => drop(names.remove(path.as_str())),
        Action::Rename { from, to } => {
            if let Some(node) = names.remove(from.as_str()) {
                names.insert(to, node);
            }
        }
        _ => {}
    }
}

/// Does to a file's content what an action does. What lies between its end and a write beyond it is zeros.
pub(crate) fn write(content: &mut Vec<u8>, action: &Action) {
    match action {
        Action::Write { offset, data, .. } => {
            let end = offset + data.len();
            content.resize(content.len().max(end), 0);
            content[*offset..end].copy_from_slice(data);
        }
        Action::Resize { length, .. } => content.resize(*length, 0),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId(0);

    fn event(entered: usize, ended: usize, action: Action) -> Event {
        Event { entered, ended: Some(ended), action }
    }

    fn write_at(entered: usize, ended: usize, offset: usize, data: &[u8]) -> Event {
        event(entered, ended, Action::Write { file: FILE, offset, data: data.to_vec() })
    }

    fn lasting_and_loose(events: &[Event], place: usize, syncs: Syncs) -> (Vec<u8>, usize) {
        let disk = Disk::at(place, events, syncs);
        let file = &disk.files[&FILE];
        (file.lasting.clone(), file.loose.len())
    }

    #[test]
    fn a_sync_makes_lasting_what_was_over_when_it_began_and_only_once_it_has_returned() {
        let events = [
            write_at(0, 1, 0, b"one"),
            write_at(2, 7, 3, b"two"),
            event(4, 9, Action::SyncFile { file: FILE }),
            write_at(6, 8, 6, b"three"),
        ];
        assert_eq!(lasting_and_loose(&events, 9, Syncs::Honoured), (Vec::new(), 3));
        assert_eq!(lasting_and_loose(&events, 10, Syncs::Honoured), (b"one".to_vec(), 2));
        assert_eq!(lasting_and_loose(&events, 10, Syncs::Ignored), (Vec::new(), 3));
        assert_eq!(lasting_and_loose(&events, 2, Syncs::Honoured), (Vec::new(), 1));
    }

    #[test]
    fn a_name_lasts_by_its_folders_sync_and_not_by_its_files() {
        let path = "data/a".to_owned();
        let events = [
            event(0, 1, Action::Create { path, file: FILE }),
            event(2, 3, Action::SyncFile { file: FILE }),
            event(4, 5, Action::SyncFolder { path: String::new() }),
            event(6, 7, Action::SyncFolder { path: "data".to_owned() }),
            event(8, 9, Action::Remove { path: "data/a".to_owned() }),
        ];
        assert!(Disk::at(7, &events, Syncs::Honoured).names.is_empty());
        let disk = Disk::at(10, &events, Syncs::Honoured);
        assert_eq!(disk.names["data/a"], Node::File(FILE));
        assert_eq!(disk.loose_names.len(), 1, "it may be gone already");
    }
}
