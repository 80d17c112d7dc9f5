//! The highest rate at which what is taken is told as it comes.

use std::time::Duration;

use anyhow::Result;

use super::Measured;

/// How long each rate is tried.
pub(super) const LENGTH: Duration = Duration::from_secs(2);
/// The first rate that is tried, in orders a second.
const FIRST: f64 = 500.0;
/// No rate above it is tried: the first, doubled seven times.
const HIGHEST: f64 = 64_000.0;
/// What comes later than this, in milliseconds, does not come as it is taken.
const LONGEST_P99: f64 = 100.0;
/// How often the distance between what is borne and what is not is halved.
const HALVINGS: usize = 3;

/// Doubles the rate until it is not borne, then halves the distance, and gives the highest that was borne: 0 where not even
/// the first was.
///
/// # Errors
/// A try fails.
pub(super) fn find(mut tried: impl FnMut(f64) -> Result<Measured>) -> Result<f64> {
    let mut borne = |rate| Ok::<_, anyhow::Error>(is_borne(&tried(rate)?));
    let (mut low, mut high) = (0.0, FIRST);
    while borne(high)? {
        (low, high) = (high, 2.0 * high);
        if high > HIGHEST {
            return Ok(low);
        }
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if borne(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn is_borne(measured: &Measured) -> bool {
    measured.late <= 0.0 && measured.told[1] <= LONGEST_P99
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(p99: f64) -> Measured {
        Measured { told: [1.0, p99], answered_p99: 1.0, late: 0.0 }
    }

    #[test]
    fn the_capacity_is_found_to_within_an_eighth() {
        for real in [700.0, 1_300.0, 5_200.0, 11_000.0] {
            let found = find(|rate| Ok(at(if rate <= real { 5.0 } else { 900.0 }))).unwrap();
            assert!(found <= real && found >= real * 0.875, "{found} of {real}");
        }
    }

    #[test]
    fn what_bears_everything_is_not_searched_for_ever() {
        let mut highest = 0.0_f64;
        let tried = |rate| {
            highest = highest.max(rate);
            Ok(at(1.0))
        };
        assert!((find(tried).unwrap() - HIGHEST).abs() < 1.0);
        assert!(highest <= HIGHEST);
    }

    #[test]
    fn what_came_too_late_to_be_timed_is_not_borne() {
        assert!(!is_borne(&Measured { late: 0.001, ..at(1.0) }));
        assert!(is_borne(&at(100.0)));
    }
}
