//! Numbers and money as a language writes them, by the patterns of CLDR; digits are never rounded, added or taken away.

use rust_decimal::Decimal;

use super::Language;

/// How a language writes numbers.
struct NumberFormat {
    decimal_point: char,
    /// Between groups of three digits.
    separator: char,
    /// The least digits before the first separator.
    first_group: usize,
}

fn format_of(language: Language) -> NumberFormat {
    match language {
        Language::En => NumberFormat { decimal_point: '.', separator: ',', first_group: 1 },
        Language::De => NumberFormat { decimal_point: ',', separator: '.', first_group: 1 },
        Language::Fr => NumberFormat { decimal_point: ',', separator: '\u{202f}', first_group: 1 },
        // 1234,50, but 12.345,50.
        Language::Es => NumberFormat { decimal_point: ',', separator: '.', first_group: 2 },
    }
}

/// A whole number.
#[must_use]
pub fn whole(language: Language, number: u64) -> String {
    grouped(language, &number.to_string())
}

/// A number with as many decimals as it has.
#[must_use]
pub fn decimal(language: Language, number: Decimal) -> String {
    grouped(language, &number.to_string())
}

/// A number in plain notation, as the language has it.
fn grouped(language: Language, plain: &str) -> String {
    let format = format_of(language);
    let (whole, decimals) = plain.split_once('.').map_or((plain, None), |(whole, rest)| (whole, Some(rest)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut said = String::with_capacity(plain.len() + digits.len());
    said.push_str(sign);
    let is_grouped = digits.len() >= 3 + format.first_group;
    for (place, digit) in digits.char_indices() {
        if is_grouped && place > 0 && (digits.len() - place) % 3 == 0 {
            said.push(format.separator);
        }
        said.push(digit);
    }
    if let Some(decimals) = decimals {
        said.push(format.decimal_point);
        said.push_str(decimals);
    }
    said
}

/// An amount with its currency (ISO 4217): by its sign where that is one currency's in the language, else by its code.
#[must_use]
pub fn money(language: Language, amount: Decimal, currency: Option<&str>) -> String {
    let amount = decimal(language, amount);
    let Some(currency) = currency else { return amount };
    let sign = sign_of(language, currency);
    match (language, sign) {
        (Language::En, Some(sign)) => match amount.strip_prefix('-') {
            Some(amount) => format!("-{sign}{amount}"),
            None => format!("{sign}{amount}"),
        },
        (Language::En, None) => match amount.strip_prefix('-') {
            Some(amount) => format!("-{currency}\u{a0}{amount}"),
            None => format!("{currency}\u{a0}{amount}"),
        },
        (Language::De | Language::Fr | Language::Es, sign) => {
            format!("{amount}\u{a0}{}", sign.unwrap_or(currency))
        }
    }
}

/// A currency's sign, where the language's readers know it for no other: the same as in CLDR, which has more.
fn sign_of(language: Language, currency: &str) -> Option<&'static str> {
    match (currency, language) {
        ("EUR", _) => Some("€"),
        ("GBP", Language::En | Language::De) => Some("£"),
        ("USD", Language::En | Language::De) => Some("$"),
        ("JPY", Language::En | Language::De) => Some("¥"),
        _ => None,
    }
}
