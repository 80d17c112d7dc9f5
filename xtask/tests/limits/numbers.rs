//! A number as the table says it and as a constant's expression makes it, both in billionths: of one, or of a second.

/// A billionth, so that durations and plain numbers compare.
pub(crate) type Number = i128;

/// How much of these a whole one is.
pub(crate) const ONE: Number = 1_000_000_000;

/// The units that are more than a word, and what one of each is.
const UNITS: [(&str, Number); 8] = [
    ("µs", ONE / 1_000_000),
    ("ms", ONE / 1_000),
    ("s", ONE),
    ("min", 60 * ONE),
    ("h", 3_600 * ONE),
    ("days", 86_400 * ONE),
    ("KiB", 1_024 * ONE),
    ("MiB", 1_024 * 1_024 * ONE),
];

/// The numbers of a text, each with the unit behind it.
///
/// # Errors
/// There is none, or one is too large.
pub(crate) fn in_words(text: &str) -> Result<Vec<Number>, String> {
    let mut numbers = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = &rest[start..];
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(digits.len());
        let whole: Number =
            digits[..end].replace(',', "").parse().map_err(|_| format!("{digits:?} is too large"))?;
        rest = &digits[end..];
        let unit = rest.trim_start().split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        let of_one = UNITS.iter().find(|(name, _)| *name == unit).map_or(ONE, |(_, of_one)| *of_one);
        numbers.push(whole * of_one);
    }
    if numbers.is_empty() { Err(format!("{text:?} has no number")) } else { Ok(numbers) }
}

/// Numbers as people read them, durations in seconds.
pub(crate) fn shown(numbers: &[Number]) -> String {
    let one = |number: &Number| match (number / ONE, number % ONE) {
        (whole, 0) => whole.to_string(),
        (whole, rest) => format!("{whole}.{rest:09}").trim_end_matches('0').to_owned(),
    };
    numbers.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn numbers_are_read_with_their_units() {
    assert_eq!(in_words("1 s to 2 min").unwrap(), [ONE, 120 * ONE]);
    assert_eq!(in_words("5 days, 10 failures").unwrap(), [432_000 * ONE, 10 * ONE]);
    assert_eq!(in_words("1,024 or 64 KiB").unwrap(), [1_024 * ONE, 65_536 * ONE]);
    assert_eq!(in_words("100 µs each").unwrap(), [ONE / 10_000]);
    assert!(in_words("none").is_err());
    assert_eq!(shown(&in_words("1,500 ms, 3").unwrap()), "1.5, 3");
}
