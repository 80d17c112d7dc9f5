//! Medians and quantiles.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

/// The median of some rounds, the least and the most of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    /// The middle of the values; of an even number, half-way between the two middles.
    #[serde(deserialize_with = "number")]
    pub(crate) median: f64,
    /// The smallest.
    #[serde(deserialize_with = "number")]
    pub(crate) least: f64,
    /// The largest.
    #[serde(deserialize_with = "number")]
    pub(crate) most: f64,
}

/// JSON has no word for what is not a number but null.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

impl Spread {
    /// That of some values; without any, nothing is a number.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
        let median = f64::midpoint(at(sorted.len().saturating_sub(1) / 2), at(sorted.len() / 2));
        Self { median, least: at(0), most: at(sorted.len().saturating_sub(1)) }
    }
}

/// The value below which `share` of the sorted values lie (nearest rank).
pub(crate) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52 values")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place between 0 and their number"
    )]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The quantile of values in any order, in milliseconds; without any, it is not a number.
pub(crate) fn quantile_ms(values: &[Duration], share: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    quantile(&sorted, share).as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_run_does_not_move_the_median() {
        let spread = Spread::of(&[9.0, 1.0, 1000.0]);
        assert_eq!(spread, Spread { median: 9.0, least: 1.0, most: 1000.0 });
        assert_eq!(Spread::of(&[8.0, 1.0, 1000.0, 10.0]), Spread { median: 9.0, ..spread });
    }

    #[test]
    fn what_was_never_measured_is_no_number() {
        assert!(Spread::of(&[]).median.is_nan());
        assert!(quantile_ms(&[], 0.99).is_nan());
        let written = serde_json::to_string(&Spread::of(&[])).unwrap();
        assert!(serde_json::from_str::<Spread>(&written).unwrap().most.is_nan());
    }

    #[test]
    fn a_quantile_is_the_value_of_the_nearest_rank() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(quantile(&sorted, 0.5), Duration::from_millis(100));
        assert_eq!(quantile(&sorted, 0.99), Duration::from_millis(198));
        assert_eq!(quantile(&sorted, 1.0), Duration::from_millis(200));
        assert_eq!(quantile(&[], 0.99), Duration::ZERO);
    }

    #[test]
    fn values_need_not_be_sorted_for_their_quantile() {
        let times = [30, 10, 20].map(Duration::from_millis);
        assert!((quantile_ms(&times, 0.5) - 20.0).abs() < f64::EPSILON);
    }
}
