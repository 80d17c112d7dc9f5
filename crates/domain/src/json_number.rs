//! JSON's numbers, exactly.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The number that a JSON value writes: `1000`, `1e3` and `1.0e+3` are one (RFC 8259, 6), and zero has no sign. `None` where
/// it is none, or takes more than 28 digits to write out.
#[must_use]
pub fn exact(json: &str) -> Option<Decimal> {
    let number = match json.split_once(['e', 'E']) {
        None => Decimal::from_str_exact(json),
        // The digits are asked about by themselves: those that are too many would be rounded.
        Some((digits, _)) => Decimal::from_str_exact(digits).and_then(|_| Decimal::from_scientific(json)),
    };
    number.ok().map(|number| if number.is_zero() { number.abs() } else { number })
}

/// The whole number that a JSON value writes: `2` and `2.0` are one. `None` where it is none, is negative, or too large.
#[must_use]
pub fn whole(json: &str) -> Option<u64> {
    exact(json).filter(Decimal::is_integer)?.to_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_it_means_however_it_is_written() {
        for (json, number) in [
            ("1000", "1000"),
            ("1e3", "1000"),
            ("1.0E+3", "1000"),
            ("15e-1", "1.5"),
            ("1e-05", "0.00001"),
            ("-0", "0"),
            ("-0.0e-2", "0"),
            ("9e15", "9000000000000000"),
        ] {
            assert_eq!(
                exact(json).map(|read| read.normalize().to_string()).as_deref(),
                Some(number),
                "{json}"
            );
        }
    }

    #[test]
    fn what_cannot_be_kept_exactly_is_no_number() {
        let long = format!("0.{}1e1", "0".repeat(40));
        for json in ["1e999", "1e99999999999", "1e-29", "true", "\"1\"", "", &"9".repeat(40), &long] {
            assert_eq!(exact(json), None, "{json}");
        }
    }

    #[test]
    fn a_whole_number_may_have_a_point_but_no_fraction_and_no_sign() {
        for (json, number) in
            [("2", Some(2)), ("2.0", Some(2)), ("2e2", Some(200)), ("2.5", None), ("-1", None)]
        {
            assert_eq!(whole(json), number, "{json}");
        }
    }
}
