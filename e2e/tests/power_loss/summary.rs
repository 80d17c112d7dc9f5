//! What all cuts came to.

use std::fmt;

use crate::cuts::{Cut, Windows};
use crate::fate::Losses;
use crate::recording::Recording;
use crate::verdict::Verdict;

/// Figures over all cuts.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    seed: u64,
    calls: usize,
    commits: usize,
    checkpoints: usize,
    /// How many cuts there were.
    pub(crate) cuts: usize,
    /// How many of them fell into a commit.
    pub(crate) within_commits: usize,
    /// How many of the images the store opened.
    pub(crate) opened: usize,
    started: usize,
    acknowledged: Option<(usize, usize)>,
    /// How many acknowledged orders were missing.
    pub(crate) missing: usize,
    subscriptions: usize,
    attempts: usize,
    reported: usize,
    losses: Losses,
    /// Every broken promise, with the number of its cut.
    pub(crate) broken: Vec<(usize, String)>,
}

impl Summary {
    /// Of no cuts yet.
    pub(crate) fn new(seed: u64, recording: &Recording, windows: &Windows) -> Self {
        Self {
            seed,
            calls: recording.trace.end / 2,
            commits: windows.commits.len(),
            checkpoints: windows.checkpoints.len(),
            ..Self::default()
        }
    }

    /// Adds one cut.
    pub(crate) fn add(&mut self, cut: &Cut, windows: &Windows, verdict: Verdict) {
        self.cuts += 1;
        let is_within = windows.commits.iter().any(|window| window.contains(&cut.place));
        self.within_commits += usize::from(is_within);
        self.started += usize::from(verdict.started);
        self.opened += usize::from(verdict.opened);
        let count = verdict.acknowledged;
        let (least, most) = self.acknowledged.unwrap_or((count, count));
        self.acknowledged = Some((least.min(count), most.max(count)));
        self.missing += verdict.missing;
        self.subscriptions = self.subscriptions.max(verdict.subscriptions);
        self.attempts = self.attempts.max(verdict.attempts);
        self.reported = self.reported.max(verdict.reported);
        let losses = verdict.losses;
        self.losses.dropped += losses.dropped;
        self.losses.torn += losses.torn;
        self.losses.kept += losses.kept;
        self.losses.names += losses.names;
        self.broken.extend(verdict.broken.into_iter().map(|promise| (cut.number, promise)));
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = self.acknowledged.unwrap_or_default();
        let Losses { dropped, torn, kept, names } = self.losses;
        writeln!(f, "seed                                 {:>20}", self.seed)?;
        writeln!(f, "lines of the trace                   {:>20}", self.calls)?;
        writeln!(f, "  commits seen                       {:>20}", self.commits)?;
        writeln!(f, "  checkpoints seen                   {:>20}", self.checkpoints)?;
        writeln!(f, "cuts                                 {:>20}", self.cuts)?;
        writeln!(f, "  inside a commit                    {:>20}", self.within_commits)?;
        writeln!(f, "images opened                        {:>20}", self.opened)?;
        writeln!(f, "  the program started on             {:>20}", self.started)?;
        writeln!(f, "orders acknowledged before           {:>20}", format!("{least} to {most}"))?;
        writeln!(f, "  missing                            {:>20}", self.missing)?;
        writeln!(f, "subscriptions answered before, up to {:>20}", self.subscriptions)?;
        writeln!(f, "attempts begun before, up to         {:>20}", self.attempts)?;
        writeln!(f, "reports answered before, up to       {:>20}", self.reported)?;
        writeln!(f, "writes not synced: dropped           {dropped:>20}")?;
        writeln!(f, "  torn                               {torn:>20}")?;
        writeln!(f, "  kept                               {kept:>20}")?;
        writeln!(f, "names not synced: lost               {names:>20}")?;
        write!(f, "promises broken                      {:>20}", self.broken.len())
    }
}
