//! What must not be stored: card numbers, their security codes, passwords and the tokens of captchas.
//!
//! Forms send them by mistake, and customers write them into remarks. They are masked before anything is stored, sent or
//! logged.

use std::ops::{Range, RangeInclusive};

/// What stands instead of a secret.
pub(super) const MASKED: &str = "[masked]";

/// Names of members that hold a secret, in small letters and without signs.
const NAMES: [&str; 20] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passwort",
    "cvc",
    "cvc2",
    "cvv",
    "cvv2",
    "csc",
    "cvccode",
    "cvvcode",
    "securitycode",
    "cardnumber",
    "ccnumber",
    "captcha",
    "recaptcha",
    "altcha",
    "turnstiletoken",
    "cfturnstileresponse",
];
/// How others end.
const ENDINGS: [&str; 10] = [
    "passwd",
    "captcharesponse",
    "captchatoken",
    "captchasolution",
    "cvc",
    "cvv",
    "cvc2",
    "cvv2",
    "securitycode",
    "cardnumber",
];
/// How many of a name's letters and digits are looked at, from its end on.
const NAME_LOOKED_AT: usize = 64;

/// Whether a member of this name holds a secret, by its name alone.
pub(super) fn is_secret_name(name: &str) -> bool {
    let plain = || name.bytes().rev().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    let end: Vec<u8> = plain().take(NAME_LOOKED_AT).collect();
    let plain: String = end.into_iter().rev().map(char::from).collect();
    NAMES.contains(&plain.as_str())
        || plain.contains("password")
        || ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// The fewest and the most digits of a card number (ISO/IEC 7812-1; the shortest that is in use).
const DIGITS: RangeInclusive<usize> = 14..=19;
/// How card numbers are written in groups.
const GROUPS: [&[usize]; 4] = [&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];
/// What stands between the groups: one of these, or two.
const SEPARATORS: [char; 9] = [' ', '-', '.', '_', '/', '\t', '\u{a0}', '\u{2009}', '\u{202f}'];

/// The text with the card numbers in it masked but for their last four digits; `None` if it has none. One is what has a
/// card's first digits, its length and its check digit, in one piece or in a card's groups, whatever stands around it; the
/// digits behind a decimal point are none.
pub(super) fn mask_card_numbers(text: &str) -> Option<String> {
    // Of most texts this is all that is asked.
    if text.bytes().filter(u8::is_ascii_digit).count() < *DIGITS.start() {
        return None;
    }
    let groups = digit_groups(text);
    let (mut masked, mut copied, mut next) = (String::new(), 0, 0);
    while let Some(rest) = groups.get(next..).filter(|rest| !rest.is_empty()) {
        let Some((count, last)) = card_number(text, rest, copied) else {
            next += 1;
            continue;
        };
        masked.extend([&text[copied..rest[0].start], "[card number ending in ", &last, ", masked]"]);
        copied = rest[count - 1].end;
        next += count;
    }
    (copied > 0).then(|| masked + &text[copied..])
}

/// Where digits stand together.
fn digit_groups(text: &str) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match groups.last_mut().filter(|group| group.end == at) {
            Some(group) => group.end += 1,
            None => groups.push(at..at + 1),
        }
    }
    groups
}

/// The card number that begins with the first of these groups: how many of them it takes, and its last four digits.
fn card_number(text: &str, groups: &[Range<usize>], after: usize) -> Option<(usize, String)> {
    let alone = groups.first().filter(|group| !is_fraction(text, group, after)).map(|_| 1);
    let in_groups = GROUPS.iter().filter(|sizes| are_grouped(text, groups, sizes)).map(|sizes| sizes.len());
    in_groups.chain(alone).find_map(|count| {
        let digits: Vec<u8> = groups[..count]
            .iter()
            .flat_map(|group| text[group.clone()].bytes())
            .map(|byte| byte - b'0')
            .collect();
        let last = digits.iter().skip(digits.len().saturating_sub(4)).map(|digit| char::from(b'0' + digit));
        is_card_number(&digits).then(|| (count, last.collect()))
    })
}

/// Whether digits follow a decimal point.
fn is_fraction(text: &str, group: &Range<usize>, after: usize) -> bool {
    let before = &text[after..group.start];
    before.strip_suffix('.').is_some_and(|whole| whole.ends_with(|c: char| c.is_ascii_digit()))
}

/// Whether the first groups are of these sizes, with separators between them.
fn are_grouped(text: &str, groups: &[Range<usize>], sizes: &[usize]) -> bool {
    let Some(groups) = groups.get(..sizes.len()) else { return false };
    let separated = |pair: &[Range<usize>]| {
        let between = &text[pair[0].end..pair[1].start];
        between.chars().count() <= 2 && between.chars().all(|c| SEPARATORS.contains(&c))
    };
    groups.iter().map(Range::len).eq(sizes.iter().copied()) && groups.windows(2).all(separated)
}

/// By the first digits and lengths that the brands have given out (Visa, Mastercard, American Express, Discover, Diners
/// Club, JCB, Union Pay), and by Luhn's check digit (ISO/IEC 7812-1, annex B).
fn is_card_number(digits: &[u8]) -> bool {
    if !DIGITS.contains(&digits.len()) {
        return false;
    }
    let begins = digits[..4].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let brand = match digits.len() {
        14 => matches!(begins, 3000..=3059 | 3600..=3699 | 3800..=3899),
        15 => matches!(begins, 3400..=3499 | 3700..=3799),
        16 => {
            matches!(begins, 4000..=4999 | 5100..=5599 | 2221..=2720 | 6011 | 6440..=6599 | 3528..=3589 | 6200..=6299)
        }
        19 => matches!(begins, 4000..=4999 | 6200..=6299),
        _ => matches!(begins, 6200..=6299),
    };
    brand && checks(digits)
}

fn checks(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_is_masked_but_for_its_last_four_digits_wherever_it_stands() {
        for (text, masked) in [
            ("4111111111111111", "[card number ending in 1111, masked]"),
            ("pay with 4111 1111 1111 1111, please", "pay with [card number ending in 1111, masked], please"),
            (
                "4111-1111-1111-1111 and 378282246310005",
                "[card number ending in 1111, masked] and [card number ending in 0005, masked]",
            ),
            ("Karte:5555555555554444é", "Karte:[card number ending in 4444, masked]é"),
            ("30569309025904", "[card number ending in 5904, masked]"),
            ("3530111333300000", "[card number ending in 0000, masked]"),
            ("6011000990139424", "[card number ending in 9424, masked]"),
            ("2223003122003222", "[card number ending in 3222, masked]"),
            ("4111 1111 1111 1111 12/27 123", "[card number ending in 1111, masked] 12/27 123"),
            ("Visa 4111111111111111 12/2027", "Visa [card number ending in 1111, masked] 12/2027"),
            ("2 4111-1111-1111-1111", "2 [card number ending in 1111, masked]"),
            (
                "4111111111111111 4111111111111111",
                "[card number ending in 1111, masked] [card number ending in 1111, masked]",
            ),
            ("4111.1111.1111.1111", "[card number ending in 1111, masked]"),
            ("4111\u{a0}1111\u{a0}1111\u{a0}1111", "[card number ending in 1111, masked]"),
            ("4111  1111  1111  1111", "[card number ending in 1111, masked]"),
            ("3782 822463 10005 03/28", "[card number ending in 0005, masked] 03/28"),
            ("n.4111111111111111", "n.[card number ending in 1111, masked]"),
        ] {
            assert_eq!(mask_card_numbers(text).as_deref(), Some(masked), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_no_card_numbers_stay() {
        for text in [
            "",
            "4111111111111112",
            "4006381333931",
            "356938035643809",
            "12345678901234567890123",
            "+49 151 1234 5678 9012",
            "DE89 3704 0044 0532 0130 00",
            "2026-11-30 12:00:00.000000",
            "1111111111111111",
            "41111111111111111111",
            "0000000000000000",
            "50.4111111111111111",
            "0.4111111111111111",
            "41 11 11 11 11 11 11 11",
            "4111,1111,1111,1111",
        ] {
            assert_eq!(mask_card_numbers(text), None, "{text}");
        }
    }

    #[test]
    fn a_secret_is_known_by_its_members_name() {
        for name in [
            "password",
            "Password",
            "user_password",
            "pass-wd",
            "CVC",
            "card[cvc]",
            "g-recaptcha-response",
            "h-captcha-response",
            "cf-turnstile-response",
            "frc-captcha-solution",
            "recaptchaToken",
            "CardNumber",
            "passwordConfirmation",
            "password2",
            "card_security_code",
            "billing_cc_cvv",
            "cc-number",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["pass", "note", "token", "pin", "compass", "wordpass", "captchas", "discard", "", "card"]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
