//! A disk that was full: what cannot be stored before there is space again.

use domain::Timestamp;

/// Whether the disk was full since operators were told last.
#[derive(Debug, Default)]
pub(crate) struct FullDisk {
    met: bool,
    since: Option<Timestamp>,
    /// The transaction that is open says so.
    pub(crate) noted: bool,
}

impl FullDisk {
    /// Since when, at the latest: a commit that fails knows no time, and the next look, seconds later, does.
    pub(crate) fn since(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.met.then(|| (*self.since.get_or_insert(now)).min(now))
    }

    /// The open transaction is on disk.
    pub(crate) fn committed(&mut self) {
        if self.noted {
            *self = Self::default();
        }
    }

    /// The open transaction is not on disk: because that is full, or for another reason.
    pub(crate) fn failed(&mut self, full: bool) {
        self.met |= full;
        self.noted = false;
    }
}
