//! Reading one value of an order's JSON: what is plainly meant is read, and an error names the member and the limit.

use iso_currency::Currency;
use jiff::civil;
use rust_decimal::Decimal;

use super::extra::kept;
use crate::Invalid;
use crate::endpoint::{PhoneNumber, e164, mail_address};
use crate::json_number;
use crate::visible::is_invisible;

/// How much an order may hold. Lengths are in characters (Unicode scalar values); what has no limit here has that of the
/// request's body.
pub mod limits {
    /// `customerName`, each `productName`: of a longer one this much stands there, and all of it in `extra`.
    pub const NAME: usize = 1_000;
    /// `customerEmail` (RFC 5321, section 4.5.3.1.3, less the brackets).
    pub const EMAIL: usize = 254;
    /// `sku`, `reference`.
    pub const CODE: usize = 64;
    /// Each attribute's text, a line of the address, `customerPhone` as it is written.
    pub const LINE: usize = 256;
    /// `quantity`.
    pub const QUANTITY: u32 = 1_000_000;
    /// `items`: what is behind them stays in `extra`.
    pub const ITEMS: usize = 2_000;
    /// `attributes`: entries.
    pub const ATTRIBUTES: usize = 20;
    /// `attributes`: the length of a key, of `A–Z a–z 0–9 _ . -` (as SNS message attributes have it).
    pub const ATTRIBUTE_KEY: usize = 64;
    /// Money and numbers: digits before the point.
    pub const INTEGER_DIGITS: u32 = 15;
    /// Money and numbers: digits after the point.
    pub const FRACTION_DIGITS: u32 = 6;
}

/// A name as it is read, and the rule that it breaks as it came.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) broken: Option<Invalid>,
}

/// A name on one line, of which a person sees something, whatever it was sent as; `None`: there is none.
///
/// # Errors
/// It shows nothing to a person.
pub(super) fn name(path: &str, json: &str) -> Result<Option<Name>, Invalid> {
    let (text, is_text) = match text_of(json) {
        Some(text) => (text, true),
        None if matches!(json, "false" | "[]" | "{}") => return Ok(None),
        None => (kept(json).trim_matches('"').to_owned(), false),
    };
    // A line break around it is what is left of a form's or a file's; one within it says something.
    let text = if is_text && text.contains(breaks_a_line) { text.trim().to_owned() } else { text };
    if text.trim().is_empty() {
        return Ok(None);
    }
    if text.chars().all(is_invisible) {
        let message = format!("{path} must hold at least one visible character");
        return Err(Invalid::new("invisible", path, message));
    }
    let broken = if !is_text {
        Some(wrong_type(path, "a string"))
    } else if text.chars().any(breaks_a_line) {
        Some(several_lines(path))
    } else {
        too_long(path, &text, limits::NAME)
    };
    let text = text.chars().take(limits::NAME).map(|c| if breaks_a_line(c) { ' ' } else { c }).collect();
    Ok(Some(Name { text, broken }))
}

/// A text of several lines; a blank one counts as absent.
pub(super) fn text(path: &str, json: &str) -> Result<Option<String>, Invalid> {
    let text = text_of(json).ok_or_else(|| wrong_type(path, "a string"))?;
    Ok((!text.trim().is_empty()).then_some(text))
}

/// A text on one line, without white space around it; a blank one counts as absent.
pub(super) fn line(path: &str, json: &str, most: usize) -> Result<Option<String>, Invalid> {
    let Some(text) = text(path, json)? else { return Ok(None) };
    let text = text.trim();
    if text.chars().any(breaks_a_line) {
        return Err(several_lines(path));
    }
    too_long(path, text, most).map_or_else(|| Ok(Some(text.to_owned())), Err)
}

/// A whole number from 1 to the limit, however it is written: `2`, `2.0`, `2e0` and `" 2 "` are one.
pub(super) fn quantity(path: &str, json: &str) -> Result<Option<u32>, Invalid> {
    let Some(written) = text_of(json) else { return Err(wrong_type(path, "a whole number")) };
    let written = written.trim();
    if written.is_empty() {
        return Ok(None);
    }
    match Some(written)
        .filter(|written| is_number(written))
        .and_then(json_number::whole)
        .and_then(|number| u32::try_from(number).ok())
    {
        Some(quantity) if (1..=limits::QUANTITY).contains(&quantity) => Ok(Some(quantity)),
        _ => {
            let message = format!("{path} must be a whole number from 1 to {}", limits::QUANTITY);
            Err(Invalid::new("out_of_range", path, message))
        }
    }
}

/// An exact amount of money, not negative, however it is written: `1E+2` and `"100"` are one. A blank one counts as
/// absent.
pub(super) fn money(path: &str, json: &str) -> Result<Option<Decimal>, Invalid> {
    let Some(written) = text_of(json) else { return Err(not_a_number(path)) };
    if written.trim().is_empty() {
        return Ok(None);
    }
    let amount = number(path, written.trim())?;
    if amount.is_sign_negative() {
        return Err(Invalid::new("out_of_range", path, format!("{path} must not be negative")));
    }
    Ok(Some(amount))
}

/// A number in JSON's notation, exactly, within the limits.
pub(super) fn number(path: &str, written: &str) -> Result<Decimal, Invalid> {
    let fits = |number: &Decimal| {
        number.trunc().abs() < Decimal::from(10_u64.pow(limits::INTEGER_DIGITS))
            && number.normalize().scale() <= limits::FRACTION_DIGITS
    };
    let number = Some(written).filter(|written| is_number(written)).and_then(json_number::exact).filter(fits);
    let number = number.ok_or_else(|| not_a_number(path))?;
    Ok(if number.scale() > limits::FRACTION_DIGITS { number.normalize() } else { number })
}

/// A customer's mail address.
pub(super) fn email(path: &str, json: &str) -> Result<Option<String>, Invalid> {
    line(path, json, limits::EMAIL)?.map(|text| customer_email(&text)).transpose()
}

/// A customer's mail address as orders keep it: its domain in lower case.
///
/// # Errors
/// `invalid_email`, naming `customerEmail`.
pub fn customer_email(text: &str) -> Result<String, Invalid> {
    let address = mail_address("customerEmail", text)?;
    Ok(format!("{}@{}", address.local_part(), address.domain().to_ascii_lowercase()))
}

/// A customer's phone number as orders keep it: `+` and digits. A trunk zero in brackets is left out where it certainly
/// is none of them; what else may be wrong with a number costs nobody the order.
///
/// # Errors
/// `invalid_phone`, naming `customerPhone`.
pub fn customer_phone(text: &str) -> Result<String, Invalid> {
    let number = PhoneNumber::parse("customerPhone", text).map(|number| number.to_string());
    number.or_else(|_| e164("customerPhone", text))
}

/// A customer's phone number.
pub(super) fn phone(path: &str, json: &str) -> Result<Option<String>, Invalid> {
    line(path, json, limits::LINE)?.map(|text| customer_phone(&text)).transpose()
}

/// A code of ISO 4217, in capital letters or not.
pub(super) fn currency(path: &str, json: &str) -> Result<Option<String>, Invalid> {
    let Some(code) = line(path, json, limits::LINE)? else { return Ok(None) };
    let unknown =
        || Invalid::new("unknown_currency", path, format!("{path} must be an ISO 4217 code such as EUR"));
    let known = Currency::from_code(&code.to_ascii_uppercase()).ok_or_else(unknown)?;
    Ok(Some(known.code().to_owned()))
}

/// A code or a number of the shop's own.
pub(super) fn code(path: &str, json: &str) -> Result<Option<String>, Invalid> {
    line(path, json, limits::CODE)
}

/// A date, with a time or not, with an offset or not, as the client wrote it.
pub(super) fn time(path: &str, json: &str) -> Result<Option<String>, Invalid> {
    let Some(text) = line(path, json, limits::CODE)? else { return Ok(None) };
    let is_time = text.parse::<jiff::Timestamp>().is_ok()
        || text.parse::<civil::DateTime>().is_ok()
        || text.parse::<civil::Date>().is_ok();
    if is_time {
        return Ok(Some(text));
    }
    let message =
        format!("{path} must be a date or a time such as 2026-01-31T12:00 or 2026-01-31T12:00:00+01:00");
    Err(Invalid::new("invalid_time", path, message))
}

/// A language tag: its form, not whether anybody speaks it.
pub(super) fn locale(path: &str, json: &str) -> Result<Option<String>, Invalid> {
    let Some(text) = line(path, json, limits::CODE)? else { return Ok(None) };
    let tag = text.replace('_', "-");
    let mut parts = tag.split('-');
    let letters = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic());
    let any = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if parts.next().is_some_and(letters) && parts.all(any) {
        return Ok(Some(tag));
    }
    Err(Invalid::new("invalid_locale", path, format!("{path} must be a language tag such as de or de-AT")))
}

/// Whether a JSON value is a number, or a text's content could be one: JSON's grammar (RFC 8259, 6).
pub(super) fn is_number(json: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(json).is_ok() || is_long_number(json)
}

/// What a float cannot hold is a number all the same.
fn is_long_number(json: &str) -> bool {
    let digits = json.strip_prefix('-').unwrap_or(json);
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || digits.starts_with(|first: char| matches!(first, '1'..='9')))
}

/// A JSON string's content, or a number as it is written; `None` for anything else.
fn text_of(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'-' | b'0'..=b'9' => Some(json.to_owned()),
        _ => None,
    }
}

/// Whether a character cannot stand in one line: with it, what a customer wrote could pass for a line of ours.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn several_lines(path: &str) -> Invalid {
    let message = format!("{path} must be on one line, without control characters");
    Invalid::new("control_character", path, message)
}

fn too_long(path: &str, text: &str, most: usize) -> Option<Invalid> {
    let message = || format!("{path} must be at most {most} characters");
    (text.chars().nth(most).is_some()).then(|| Invalid::new("too_long", path, message()))
}

fn not_a_number(path: &str) -> Invalid {
    let message = format!(
        "{path} must be a number, or a text that holds one, with at most {} digits before the point and {} after it",
        limits::INTEGER_DIGITS,
        limits::FRACTION_DIGITS
    );
    Invalid::new("not_a_number", path, message)
}

/// Says that a field is not of the type it must be.
pub(super) fn wrong_type(path: &str, expected: &str) -> Invalid {
    let subject = if path.is_empty() { "The order" } else { path };
    Invalid::new("wrong_type", path, format!("{subject} must be {expected}"))
}
