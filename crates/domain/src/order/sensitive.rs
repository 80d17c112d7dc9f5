//! What must not be stored: card numbers, their security codes, passwords and the tokens of captchas.
//!
//! Forms send them by mistake, and customers write them into remarks. They are masked before anything is stored, sent or
//! logged.

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
const ENDINGS: [&str; 8] = [
    "password",
    "passwd",
    "captcharesponse",
    "captchatoken",
    "captchasolution",
    "cardcvc",
    "cardcvv",
    "cardnumber",
];

/// Whether a member of this name holds a secret, by its name alone.
pub(super) fn is_secret_name(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(64).collect();
    NAMES.contains(&plain.as_str()) || ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// The fewest and the most digits of a card number (ISO/IEC 7812-1; the shortest that is in use).
const DIGITS: std::ops::RangeInclusive<usize> = 14..=19;

/// The text with the card numbers in it masked but for their last four digits; `None` if it has none. One is what has a
/// card's first digits, its length and its check digit, in groups or not.
pub(super) fn mask_card_numbers(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    // Of most texts this is all that is asked.
    if bytes.iter().filter(|byte| byte.is_ascii_digit()).count() < *DIGITS.start() {
        return None;
    }
    let (mut masked, mut copied, mut place) = (String::new(), 0, 0);
    while place < bytes.len() {
        let Some(digits) = digits_from(bytes, place) else {
            place += 1;
            continue;
        };
        if is_card_number(&digits.found) {
            let last: String =
                digits.found[digits.found.len() - 4..].iter().map(|d| char::from(b'0' + d)).collect();
            masked.extend([&text[copied..place], "[card number ending in ", &last, ", masked]"]);
            copied = digits.end;
        }
        place = digits.end;
    }
    if copied == 0 {
        return None;
    }
    masked.push_str(&text[copied..]);
    Some(masked)
}

struct Digits {
    found: Vec<u8>,
    /// Behind the last of them.
    end: usize,
}

/// The digits that begin here, with single spaces or hyphens between groups of them.
fn digits_from(bytes: &[u8], start: usize) -> Option<Digits> {
    let digit = |at: usize| bytes.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| byte - b'0');
    let first = digit(start)?;
    let (mut found, mut end) = (vec![first], start + 1);
    loop {
        let separated = matches!(bytes.get(end), Some(b' ' | b'-'));
        match (digit(end), digit(end + 1).filter(|_| separated)) {
            (Some(next), _) => (found.push(next), end += 1).1,
            (None, Some(next)) => (found.push(next), end += 2).1,
            (None, None) => return Some(Digits { found, end }),
        }
    }
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
