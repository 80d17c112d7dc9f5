//! Where in a trace the power is cut.

use std::collections::HashMap;
use std::ops::Range;

use fastrand::Rng;

use crate::disk::{Disk, Syncs, is_over};
use crate::fate::Image;
use crate::trace::{Action, Event, FileId, Trace};

/// The suffixes of the database and of `SQLite`'s log of it.
const DATABASE: &str = ".db";
const LOG: &str = "-wal";

/// The times in a trace during which something waits for its sync: from after the first write to the sync's return.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    /// The log's: one for each commit.
    pub(crate) commits: Vec<Range<usize>>,
    /// The database's: one for each checkpoint, when the log is brought into it, and for its making.
    pub(crate) checkpoints: Vec<Range<usize>>,
    /// Other files': the journal of the database's making, and the keys.
    pub(crate) others: Vec<Range<usize>>,
}

/// Where the power is cut, and what becomes of what is not synced then.
#[derive(Debug)]
pub(crate) struct Cut {
    /// Its number; with the seed it decides everything else.
    pub(crate) number: usize,
    /// The place in the trace.
    pub(crate) place: usize,
    rng: Rng,
}

impl Windows {
    /// All windows of a trace.
    pub(crate) fn of(trace: &Trace) -> Self {
        let mut windows = Self::default();
        let mut names = HashMap::<FileId, &str>::new();
        let mut waiting = HashMap::<FileId, Vec<&Event>>::new();
        for event in &trace.events {
            match &event.action {
                Action::Create { path, file } => drop(names.insert(*file, path)),
                Action::Write { file, .. } | Action::Resize { file, .. } => {
                    waiting.entry(*file).or_default().push(event);
                }
                Action::SyncFile { file } => {
                    let Some(ended) = event.ended else { continue };
                    let waiting = waiting.entry(*file).or_default();
                    let first = waiting.iter().find(|write| is_over(write, event.entered));
                    let Some(first) = first.map(|write| write.entered) else { continue };
                    waiting.retain(|write| !is_over(write, event.entered));
                    let kind = match names.get(file) {
                        Some(name) if name.ends_with(LOG) => &mut windows.commits,
                        Some(name) if name.ends_with(DATABASE) => &mut windows.checkpoints,
                        _ => &mut windows.others,
                    };
                    kind.push(first + 1..ended + 1);
                }
                _ => {}
            }
        }
        windows
    }
}

impl Cut {
    /// The cut of that number. Every other one falls within a window: five of eight of those within a commit's, two
    /// within a checkpoint's. The others fall anywhere.
    pub(crate) fn choose(seed: u64, number: usize, trace: &Trace, windows: &Windows) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut rng = Rng::with_seed(rng.u64(..).wrapping_add(number as u64));
        let kind = match rng.u8(..8) {
            0 => &windows.others,
            1 | 2 => &windows.checkpoints,
            _ => &windows.commits,
        };
        let aimed = number.is_multiple_of(2) && !kind.is_empty();
        let range = if aimed { kind[rng.usize(..kind.len())].clone() } else { 1..trace.end + 1 };
        let place = rng.usize(range);
        Self { number, place, rng }
    }

    /// What is on the disk afterwards.
    pub(crate) fn image(&self, trace: &Trace, syncs: Syncs) -> Image {
        Image::of(&Disk::at(self.place, &trace.events, syncs), &mut self.rng.clone())
    }
}
