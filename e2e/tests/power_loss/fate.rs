//! What becomes of that which was not synced when the power failed: chosen at random among what the rules allow.
//!
//! Beyond [`disk`](crate::disk)'s rules, for what a disk may do to what it is writing:
//!
//! - A write may be torn at any sector of 512 bytes, or page of 4 KiB, and the bytes that it was to change may hold
//!   old, new or random values; no other bytes change ("powersafe overwrite", which `SQLite` relies on by default:
//!   <https://sqlite.org/psow.html>).
//! - A file may be as long as it was at any time since it was synced, and where it grew without its data there may be
//!   zeros or anything ("Atomic Commit in `SQLite`", section 2: the size first, and garbage at first).

use std::collections::{BTreeMap, HashMap, HashSet};

use fastrand::Rng;

use crate::disk::{Disk, File, Node, names, rename, write};
use crate::trace::{Action, Event, FileId, is_volatile};

/// What is on the disk when the power comes back.
#[derive(Debug, Default)]
pub(crate) struct Image {
    /// The folders, outer before inner ones.
    pub(crate) folders: Vec<String>,
    /// The files and what they hold.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// What became of the writes.
    pub(crate) losses: Losses,
}

/// How many writes, or changes of names, that were not synced were lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Nothing of them was there.
    pub(crate) dropped: usize,
    /// A part of them was there, or random values in place of a part.
    pub(crate) torn: usize,
    /// They were there.
    pub(crate) kept: usize,
    /// Files made, renamed or removed that were not.
    pub(crate) names: usize,
}

/// How a file's loose writes fare.
enum Fate {
    Dropped,
    Kept,
    /// Each is there or not.
    Scattered,
    /// Each piece of so many bytes is as it was at some time.
    Torn(usize),
}

const SECTOR: usize = 512;
const PAGE: usize = 4_096;
/// The length of the index of `SQLite`'s log up to 4,062 pages.
const INDEX: usize = 32_768;

impl Fate {
    fn choose(rng: &mut Rng) -> Self {
        match rng.u8(..8) {
            0 => Self::Dropped,
            1 => Self::Kept,
            2 => Self::Scattered,
            3 | 4 => Self::Torn(PAGE),
            _ => Self::Torn(SECTOR),
        }
    }
}

impl Image {
    /// One of the many images that a disk may hold.
    pub(crate) fn of(disk: &Disk<'_>, rng: &mut Rng) -> Self {
        let mut image = Self::default();
        let mut contents = HashMap::new();
        for (id, file) in &disk.files {
            contents.insert(*id, survive(file, rng, &mut image.losses));
        }
        for (name, node) in surviving_names(disk, rng, &mut image.losses) {
            match node {
                Node::Folder => image.folders.push(name.to_owned()),
                Node::File(file) => {
                    drop(image.files.insert(name.to_owned(), content(name, file, &contents, rng)));
                }
            }
        }
        image
    }
}

fn content(name: &str, file: FileId, contents: &HashMap<FileId, Vec<u8>>, rng: &mut Rng) -> Vec<u8> {
    if is_volatile(name) {
        return garbage(INDEX, rng);
    }
    contents.get(&file).cloned().unwrap_or_default()
}

/// A change of a name is there only if the changes of it before are.
fn surviving_names<'a>(disk: &Disk<'a>, rng: &mut Rng, losses: &mut Losses) -> BTreeMap<&'a str, Node> {
    let mut surviving = disk.names.clone();
    let mut lost = HashSet::new();
    for event in &disk.loose_names {
        let touched = names(&event.action);
        if rng.bool() && touched.iter().all(|name| !lost.contains(name)) {
            rename(&mut surviving, &event.action);
        } else {
            lost.extend(touched);
            losses.names += 1;
        }
    }
    surviving
}

fn survive(file: &File<'_>, rng: &mut Rng, losses: &mut Losses) -> Vec<u8> {
    let chance = match Fate::choose(rng) {
        Fate::Dropped => 0.0,
        Fate::Kept => 1.0,
        Fate::Scattered => 0.5,
        Fate::Torn(piece) => return tear(file, piece, rng, losses),
    };
    let mut content = file.lasting.clone();
    for event in &file.loose {
        if rng.f64() < chance {
            write(&mut content, &event.action);
            losses.kept += 1;
        } else {
            losses.dropped += 1;
        }
    }
    content
}

/// The content when each piece of the file is as it was at some time since the last sync.
fn tear(file: &File<'_>, size: usize, rng: &mut Rng, losses: &mut Losses) -> Vec<u8> {
    let mut lengths = vec![file.lasting.len()];
    let mut times_written = BTreeMap::<usize, usize>::new();
    for event in &file.loose {
        lengths.push(length_after(lengths[lengths.len() - 1], &event.action));
        for (piece, ..) in pieces(event, size) {
            *times_written.entry(piece).or_default() += 1;
        }
    }
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let mut content = file.lasting.clone();
    content.extend(if rng.bool() {
        vec![0; longest - content.len()]
    } else {
        garbage(longest - content.len(), rng)
    });
    let mut left: HashMap<_, _> =
        times_written.into_iter().map(|(piece, times)| (piece, rng.usize(..=times))).collect();
    for event in &file.loose {
        let mut fares = [0; 3];
        for (piece, offset, data) in pieces(event, size) {
            let fare = reach(left.entry(piece).or_default(), rng);
            match fare {
                NEW => content[offset..offset + data.len()].copy_from_slice(data),
                RANDOM => rng.fill(&mut content[offset..offset + data.len()]),
                _ => {}
            }
            fares[fare] += 1;
        }
        losses.count(fares);
    }
    content.truncate(lengths[rng.usize(..lengths.len())]);
    content
}

const OLD: usize = 0;
const NEW: usize = 1;
const RANDOM: usize = 2;
/// One piece in so many was being written when the power failed, and holds random values.
const INTERRUPTED: u8 = 32;

/// How a piece of a write fares, of which so many writes reach the disk.
fn reach(left: &mut usize, rng: &mut Rng) -> usize {
    if *left == 0 {
        return OLD;
    }
    *left -= 1;
    if *left == 0 && rng.u8(..INTERRUPTED) == 0 { RANDOM } else { NEW }
}

impl Losses {
    fn count(&mut self, [old, new, random]: [usize; 3]) {
        match (old, new, random) {
            (_, 0, 0) => self.dropped += 1,
            (0, _, 0) => self.kept += 1,
            _ => self.torn += 1,
        }
    }
}

fn length_after(length: usize, action: &Action) -> usize {
    match action {
        Action::Write { offset, data, .. } => length.max(offset + data.len()),
        Action::Resize { length, .. } => *length,
        _ => length,
    }
}

/// The pieces of a write: each one's number in the file, its offset and its bytes.
fn pieces(event: &Event, size: usize) -> impl Iterator<Item = (usize, usize, &[u8])> {
    let (start, data) = match &event.action {
        Action::Write { offset, data, .. } => (*offset, data.as_slice()),
        _ => (0, [].as_slice()),
    };
    let end = start + data.len();
    let bounds = move |piece: usize| (start.max(piece * size), end.min((piece + 1) * size));
    (start / size..end.div_ceil(size)).map(move |piece| {
        let (from, to) = bounds(piece);
        (piece, from, &data[from - start..to - start])
    })
}

fn garbage(length: usize, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Syncs;

    const FILE: FileId = FileId(0);

    fn event(entered: usize, action: Action) -> Event {
        Event { entered, ended: Some(entered + 1), action }
    }

    fn write_of(entered: usize, offset: usize, value: u8, length: usize) -> Event {
        event(entered, Action::Write { file: FILE, offset, data: vec![value; length] })
    }

    /// The contents of a file of two synced pages of ones, with two writes after the sync.
    fn contents() -> impl Iterator<Item = Vec<u8>> {
        let path = "a".to_owned();
        let events = [
            event(0, Action::Create { path, file: FILE }),
            write_of(2, 0, 1, 2 * PAGE),
            event(4, Action::SyncFile { file: FILE }),
            event(6, Action::SyncFolder { path: String::new() }),
            write_of(8, PAGE, 2, PAGE),
            write_of(10, PAGE + 100, 3, 2 * PAGE),
        ];
        (0..500).map(move |seed| {
            let mut image = Image::of(&Disk::at(20, &events, Syncs::Honoured), &mut Rng::with_seed(seed));
            image.files.remove("a").unwrap()
        })
    }

    #[test]
    fn what_was_synced_and_not_written_since_is_always_there() {
        for content in contents() {
            assert!(content.len() >= 2 * PAGE);
            assert!(content[..PAGE].iter().all(|byte| *byte == 1));
        }
    }

    #[test]
    fn a_write_that_was_not_synced_is_there_or_not_or_torn_at_sectors_or_pages() {
        let all: Vec<_> = contents().collect();
        let at = |offset: usize| all.iter().map(|content| content[offset]).collect::<HashSet<_>>();
        assert!(at(PAGE).is_superset(&HashSet::from([1, 2])));
        assert!(at(PAGE + 200).is_superset(&HashSet::from([1, 2, 3])));
        assert!(
            all.iter().any(|content| content[PAGE] != content[PAGE + SECTOR - 1]),
            "writes are lost singly"
        );
        assert!(
            all.iter().any(|content| content[PAGE + SECTOR] != content[PAGE + 2 * SECTOR]),
            "sectors, too"
        );
        let lengths: HashSet<_> = all.iter().map(Vec::len).collect();
        assert_eq!(lengths, HashSet::from([2 * PAGE, 3 * PAGE + 100]));
    }

    #[test]
    fn a_name_is_changed_only_if_it_was_made() {
        let [one, other] = ["a", "b"].map(str::to_owned);
        let events = [
            event(0, Action::Create { path: one.clone(), file: FILE }),
            event(2, Action::Rename { from: one, to: other }),
        ];
        let mut found = HashSet::new();
        for seed in 0..100 {
            let image = Image::of(&Disk::at(9, &events, Syncs::Honoured), &mut Rng::with_seed(seed));
            found.insert(image.files.into_keys().collect::<Vec<_>>());
        }
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(found, HashSet::from([names(&[]), names(&["a"]), names(&["b"])]));
    }
}
