//! Reading one field of an order's JSON: its type, its limit, and an error that names both.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use crate::Invalid;
use crate::json_number;
use crate::visible::is_invisible;

/// How much an order may hold. Lengths are in characters (Unicode scalar values).
pub mod limits {
    /// `customerName`, each `productName`, each attribute's text.
    pub const NAME: usize = 256;
    /// `customerEmail` (RFC 5321, section 4.5.3.1.3, less the brackets).
    pub const EMAIL: usize = 254;
    /// `sku`.
    pub const SKU: usize = 64;
    /// `note`.
    pub const NOTE: usize = 2_000;
    /// `quantity`.
    pub const QUANTITY: u32 = 1_000_000;
    /// `items`.
    pub const ITEMS: usize = 100;
    /// `attributes`: entries.
    pub const ATTRIBUTES: usize = 20;
    /// `attributes`: the length of a key, of `A–Z a–z 0–9 _ . -` (as SNS message attributes have it).
    pub const ATTRIBUTE_KEY: usize = 64;
    /// Money and numbers: digits before the point.
    pub const INTEGER_DIGITS: u32 = 15;
    /// Money and numbers: digits after the point.
    pub const FRACTION_DIGITS: u32 = 6;
}

/// The members of one JSON object, each still as the client wrote it, so that a number never becomes a float.
pub(super) struct Fields<'a> {
    path: String,
    members: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

impl<'a> Fields<'a> {
    /// Reads an object's members; `path` names the object in errors (empty: the order itself).
    pub(super) fn read(path: String, json: &'a str) -> Result<Self, Invalid> {
        if !json.starts_with('{') {
            return Err(wrong_type(&path, "an object"));
        }
        let garbled = |_| Invalid::new("malformed_json", &path, "A member's name is not valid Unicode");
        let members = serde_json::from_str(json).map_err(garbled)?;
        Ok(Self { path, members })
    }

    /// The path of a member, for errors.
    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The member's JSON; `null` counts as absent.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.members.get(name).map(|raw| raw.get()).filter(|json| *json != "null")
    }

    /// Every member, for a map whose keys are the client's own.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.members.iter().map(|(key, raw)| (key.as_ref(), raw.get()))
    }

    /// A text on one line; an empty or blank one counts as absent.
    pub(super) fn line(&self, name: &str, max: usize) -> Result<Option<String>, Invalid> {
        let Some(text) = self.text(name, max)? else { return Ok(None) };
        if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            let message = format!("{} must be on one line, without control characters", self.path(name));
            return Err(Invalid::new("control_character", self.path(name), message));
        }
        Ok(Some(text))
    }

    /// A name on one line, of which a person sees something; an empty or blank one counts as absent.
    pub(super) fn name(&self, name: &str) -> Result<Option<String>, Invalid> {
        let Some(text) = self.line(name, limits::NAME)? else { return Ok(None) };
        if text.chars().all(is_invisible) {
            let message = format!("{} must hold at least one visible character", self.path(name));
            return Err(Invalid::new("invisible", self.path(name), message));
        }
        Ok(Some(text))
    }

    /// A text of several lines; an empty or blank one counts as absent.
    pub(super) fn text(&self, name: &str, max: usize) -> Result<Option<String>, Invalid> {
        let Some(json) = self.raw(name) else { return Ok(None) };
        let text: String =
            serde_json::from_str(json).map_err(|_| wrong_type(&self.path(name), "a string"))?;
        if text.chars().count() > max {
            let message = format!("{} must be at most {max} characters", self.path(name));
            return Err(Invalid::new("too_long", self.path(name), message));
        }
        Ok((!text.trim().is_empty()).then_some(text))
    }

    /// A whole number from 1 to the limit, however JSON writes it: `2`, `2.0` and `2e0` are one.
    pub(super) fn quantity(&self, name: &str) -> Result<Option<u32>, Invalid> {
        let Some(json) = self.raw(name) else { return Ok(None) };
        let path = self.path(name);
        if !is_number(json) {
            return Err(wrong_type(&path, "a whole number"));
        }
        match json_number::whole(json).and_then(|number| u32::try_from(number).ok()) {
            Some(quantity) if (1..=limits::QUANTITY).contains(&quantity) => Ok(Some(quantity)),
            _ => {
                let message = format!("{path} must be a whole number from 1 to {}", limits::QUANTITY);
                Err(Invalid::new("out_of_range", path, message))
            }
        }
    }

    /// An exact amount of money, not negative: a JSON number, or a string that holds one in plain notation. An empty or
    /// blank one counts as absent.
    pub(super) fn money(&self, name: &str) -> Result<Option<Decimal>, Invalid> {
        let Some(json) = self.raw(name) else { return Ok(None) };
        let path = self.path(name);
        let amount = if json.starts_with('"') {
            let text: String = serde_json::from_str(json).map_err(|_| not_a_number(&path))?;
            if text.trim().is_empty() && text.chars().count() <= limits::NAME {
                return Ok(None);
            }
            plain(&path, &text)?
        } else {
            number(&path, json)?
        };
        if amount.is_sign_negative() {
            return Err(Invalid::new("out_of_range", path.clone(), format!("{path} must not be negative")));
        }
        Ok(Some(amount))
    }
}

/// Whether a JSON value is a number.
pub(super) fn is_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// A JSON number, exactly, within the limits.
pub(super) fn number(path: &str, json: &str) -> Result<Decimal, Invalid> {
    let fits = |number: &Decimal| {
        number.trunc().abs() < Decimal::from(10_u64.pow(limits::INTEGER_DIGITS))
            && number.normalize().scale() <= limits::FRACTION_DIGITS
    };
    let number = json_number::exact(json).filter(|_| is_number(json)).filter(fits);
    let number = number.ok_or_else(|| not_a_number(path))?;
    Ok(if number.scale() > limits::FRACTION_DIGITS { number.normalize() } else { number })
}

/// A decimal in plain notation, within the limits.
fn plain(path: &str, text: &str) -> Result<Decimal, Invalid> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let within = |part: &str, most: u32| {
        (1..=most as usize).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if within(integer, limits::INTEGER_DIGITS) && within(fraction, limits::FRACTION_DIGITS) {
        return text.parse().map_err(|_| not_a_number(path));
    }
    Err(not_a_number(path))
}

fn not_a_number(path: &str) -> Invalid {
    let message = format!(
        "{path} must be a number, or a text that holds one in plain notation, with at most {} digits before the point \
         and {} after it",
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
