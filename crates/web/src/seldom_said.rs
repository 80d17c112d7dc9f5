//! Lines of the log about what may come ten thousand times: one at a time, with how many there were.

use std::mem;
use std::time::Duration;

use domain::Timestamp;

/// How much time lies between two lines at the least.
const AGAIN: Duration = Duration::from_secs(10);

/// Counts what the log is told of now and then.
#[derive(Debug, Default)]
pub(crate) struct SeldomSaid {
    /// How many came since the last line.
    pub(crate) unsaid: u64,
    /// When that was.
    pub(crate) said: Option<Timestamp>,
}

impl SeldomSaid {
    /// How many to tell of, if it is time for a line: they count as told of.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<u64> {
        let past = self.said.map(|said| Duration::try_from(now.duration_since(said)));
        // A clock that was set back silences nothing.
        let is_time = past.is_none_or(|past| past.map_or(true, |past| past >= AGAIN));
        (self.unsaid > 0 && is_time).then(|| {
            self.said = Some(now);
            mem::take(&mut self.unsaid)
        })
    }
}
