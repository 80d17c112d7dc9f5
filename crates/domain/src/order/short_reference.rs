//! A name for an order that people can say on the phone, such as `K7QM-2XNA`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::Invalid;
use crate::id::OrderId;

/// Crockford's base 32: no I, L, O or U, which are read as 1, 0 or V, or make words.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The characters of a reference, 5 bits each.
const LENGTH: usize = 8;

/// The characters of its first group.
const GROUP: usize = 4;

/// How many references there are, and after how many milliseconds they come again: 34 years and 10 months. The first ones
/// were those from 1970 on, the present ones those from November 2004 to September 2039.
const PERIOD: u64 = 1 << (5 * LENGTH);

/// The periods in which an order is looked for by its reference: from 1970, which is where a machine's clock begins that
/// was never set, to July 2074.
const PERIODS: u64 = 3;

/// Odd, so that multiplying by them can be taken back; each with about as many bits set as not (from `SplitMix64`).
const MULTIPLIERS: [u64; 2] = [0xBF_5847_6D1D, 0x94_D049_BB13];

/// A short reference of an order: the milliseconds of its id, without those of the periods that went by, scrambled so that
/// orders of one minute do not look alike. It is made from the id alone and stored nowhere. Orders of the same millisecond
/// have the same one, as have orders exactly one or two periods apart: whoever looks for one may find several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShortReference {
    /// Below [`PERIOD`].
    millis: u64,
}

impl ShortReference {
    /// The order's.
    #[must_use]
    pub fn of(order: OrderId) -> Self {
        let millis = u64::try_from(order.0.as_u128() >> 80).unwrap_or_default();
        Self { millis: millis % PERIOD }
    }

    /// The milliseconds that an order of this reference may be of, one in each period, the earliest first.
    #[must_use]
    pub fn moments(self) -> impl DoubleEndedIterator<Item = Timestamp> {
        (0..PERIODS).filter_map(move |period| {
            let millis = i64::try_from(period * PERIOD + self.millis).ok()?;
            Timestamp::from_millisecond(millis).ok()
        })
    }
}

impl fmt::Display for ShortReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut scrambled = scramble(self.millis);
        let mut text = [b'-'; LENGTH + 1];
        for place in (0..text.len()).rev().filter(|place| *place != GROUP) {
            let digit = usize::try_from(scrambled & 31).unwrap_or_default();
            text[place] = ALPHABET[digit];
            scrambled >>= 5;
        }
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl Serialize for ShortReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// However it was heard or copied: in small letters, with other hyphens and spaces or none, with I or L for 1 and O for 0.
impl FromStr for ShortReference {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.chars().filter(|c| !is_separator(*c)).take(LENGTH + 1).map(digit);
        let digits: Option<Vec<u64>> = digits.collect();
        let digits = digits.filter(|digits| digits.len() == LENGTH).ok_or_else(|| {
            let message = "shortReference must be 8 letters and digits, such as K7QM-2XNA";
            Invalid::new("invalid_short_reference", "shortReference", message)
        })?;
        Ok(Self { millis: unscramble(digits.into_iter().fold(0, |number, digit| number << 5 | digit)) })
    }
}

/// What stands between groups, also where a mail program made a hyphen finer.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2014}')
}

fn digit(c: char) -> Option<u64> {
    let letter = match c.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    };
    let place = ALPHABET.iter().position(|known| char::from(*known) == letter)?;
    u64::try_from(place).ok()
}

fn scramble(number: u64) -> u64 {
    MULTIPLIERS
        .iter()
        .fold(fold_halves(number), |number, multiplier| fold_halves(multiply(number, *multiplier)))
}

fn unscramble(number: u64) -> u64 {
    let back = MULTIPLIERS.iter().rev();
    fold_halves(back.fold(number, |number, multiplier| multiply(fold_halves(number), inverse(*multiplier))))
}

/// Brings the upper half of the bits into the lower; done twice, it is undone.
fn fold_halves(number: u64) -> u64 {
    number ^ number >> (5 * LENGTH / 2)
}

fn multiply(number: u64, by: u64) -> u64 {
    number.wrapping_mul(by) % PERIOD
}

/// By what a multiplication with an odd number is taken back (Newton's method: each step doubles the right bits, from 3 to
/// more than there are).
fn inverse(odd: u64) -> u64 {
    (0..5).fold(odd, |inverse, _| multiply(inverse, 2_u64.wrapping_sub(odd.wrapping_mul(inverse))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_millis(millis: u64) -> ShortReference {
        let at = Timestamp::from_millisecond(i64::try_from(millis).unwrap()).unwrap();
        ShortReference::of(OrderId::new(at, [7; 10]))
    }

    fn differing(one: u64, other: u64) -> usize {
        let [one, other] = [one, other].map(|millis| of_millis(millis).to_string());
        one.chars().zip(other.chars()).filter(|(one, other)| one != other).count()
    }

    /// 2026-11-30T12:00:00Z.
    const AN_ORDERS: u64 = 1_796_040_000_000;

    #[test]
    fn references_stay_what_they_are() {
        let told = [0, 1, AN_ORDERS, AN_ORDERS + 1].map(|millis| of_millis(millis).to_string());
        assert_eq!(told, ["0000-0000", "ZDAC-F8RQ", "F5FS-ESPF", "W0CV-7TBA"]);
    }

    #[test]
    fn a_reference_is_read_however_it_was_heard() {
        let reference = of_millis(unscramble(0x10_8420_8420));
        assert_eq!(reference.to_string(), "2222-1110");
        for heard in ["2222-1110", "22221110", " 2222 1110 ", "2222-IL1O", "2222–ilio", "2-2-2-2-1-1-1-0"] {
            assert_eq!(heard.parse(), Ok(reference), "{heard}");
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for wrong in
            ["", "K7QM-2XN", "K7QM-2XNAA", "K7QM-2XNU", "K7QM_2XNA", "KÄQM-2XNA", &"0".repeat(10_000)]
        {
            let refused = wrong.parse::<ShortReference>().unwrap_err();
            assert_eq!(
                (refused.code, &*refused.field),
                ("invalid_short_reference", "shortReference"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn neighbours_in_time_do_not_look_alike() {
        const NEIGHBOURS: u64 = 10_000;
        for step in [1, 2, 10, 1_000, 60_000] {
            let differing =
                (0..NEIGHBOURS).map(|n| differing(AN_ORDERS + n * step, AN_ORDERS + (n + 1) * step));
            let differing: Vec<usize> = differing.collect();
            assert!(differing.iter().all(|characters| *characters >= 4), "{step} ms apart");
            assert!(differing.iter().sum::<usize>() > 7 * 10_000, "{step} ms apart");
        }
    }

    #[test]
    fn a_reference_comes_again_after_34_years_and_finds_the_orders_of_both() {
        let [one, again] = [AN_ORDERS, AN_ORDERS + PERIOD].map(of_millis);
        assert_eq!(one, again);
        let moments: Vec<String> = one.moments().map(|at| at.to_string()).collect();
        assert_eq!(moments, ["1992-01-27T16:06:12.224Z", "2026-11-30T12:00:00Z", "2061-10-03T07:53:47.776Z"]);
    }

    proptest! {
        #[test]
        fn a_reference_is_read_as_what_was_written(millis in 0..PERIOD * PERIODS, random: [u8; 10]) {
            let at = Timestamp::from_millisecond(i64::try_from(millis).unwrap()).unwrap();
            let reference = ShortReference::of(OrderId::new(at, random));
            let written = reference.to_string();
            prop_assert_eq!(written.len(), 9);
            prop_assert_eq!(written.parse::<ShortReference>(), Ok(reference));
            prop_assert!(reference.moments().any(|moment| moment == at));
        }

        #[test]
        fn scrambling_can_be_taken_back(number in 0..PERIOD) {
            prop_assert_eq!(unscramble(scramble(number)), number);
            prop_assert_eq!(scramble(unscramble(number)), number);
        }
    }
}
