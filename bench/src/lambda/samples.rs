//! What was measured of one function.

use std::time::Duration;

/// The samples of all its starts.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// From the first event of a start to its answer, one a start.
    pub(crate) cold: Vec<Duration>,
    /// Of the answers after that.
    pub(crate) warm: Vec<Duration>,
    /// The most memory that its process took, in bytes, one a start.
    pub(crate) peak: Vec<u64>,
}

/// What is said of a function, or of two that share the work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    /// The median cold start, in milliseconds.
    pub(crate) cold: f64,
    /// The median warm latency, in milliseconds.
    pub(crate) warm_median: f64,
    /// The 99th percentile of the warm latency, in milliseconds.
    pub(crate) warm_p99: f64,
    /// The highest peak of memory, in MB (10⁶ bytes).
    pub(crate) peak: f64,
}

impl Samples {
    /// One function after the other for each order, as the sum of their times and of their memory.
    pub(crate) fn followed_by(&self, other: &Self) -> Self {
        let sums =
            |one: &[Duration], other: &[Duration]| one.iter().zip(other).map(|(a, b)| *a + *b).collect();
        Self {
            cold: sums(&self.cold, &other.cold),
            warm: sums(&self.warm, &other.warm),
            peak: self.peak.iter().zip(&other.peak).map(|(a, b)| a + b).collect(),
        }
    }

    pub(crate) fn sum_up(&self) -> Summary {
        let highest = self.peak.iter().copied().max().unwrap_or_default();
        Summary {
            cold: percentile(&self.cold, 50),
            warm_median: percentile(&self.warm, 50),
            warm_p99: percentile(&self.warm, 99),
            peak: u32::try_from(highest / 1_000).map_or(f64::NAN, f64::from) / 1e3,
        }
    }
}

/// The time that so many percent do not exceed (nearest rank), in milliseconds.
fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(times: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        times.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = milliseconds((1..=100).rev());
        assert!((percentile(&times, 50) - 50.0).abs() < 1e-9);
        assert!((percentile(&times, 99) - 99.0).abs() < 1e-9);
        assert!((percentile(&times[..1], 50) - 100.0).abs() < 1e-9);
        assert!(percentile(&[], 50).is_nan());
    }

    #[test]
    fn two_that_share_the_work_take_the_sum_of_their_times() {
        let one = Samples { cold: milliseconds([20]), warm: milliseconds([3, 4]), peak: vec![8_000_000] };
        let other = Samples { cold: milliseconds([30]), warm: milliseconds([5, 6]), peak: vec![9_000_000] };
        let summary = one.followed_by(&other).sum_up();
        let wanted = Summary { cold: 50.0, warm_median: 8.0, warm_p99: 10.0, peak: 17.0 };
        assert_eq!(format!("{summary:?}"), format!("{wanted:?}"));
    }
}
