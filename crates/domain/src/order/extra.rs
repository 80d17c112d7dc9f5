//! What an order said beyond its own members: kept as it came, and never mixed with them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::members::{Members, quoted};
use super::sensitive::{MASKED, is_secret_name, mask_card_numbers};
use super::warning::{Warnings, below};

/// How deep a member may be nested to be kept as JSON; what is deeper is kept as text.
pub const MAX_DEPTH: usize = 32;

/// A JSON object of members that are not the order's own, or could not be read, each as the client wrote it but for
/// white space.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extra(Box<RawValue>);

impl Extra {
    /// The object's JSON.
    #[must_use]
    pub fn json(&self) -> &str {
        self.0.get()
    }

    /// Its members, in the client's order, each with its JSON.
    #[must_use]
    pub fn members(&self) -> Vec<(String, Cow<'_, str>)> {
        Members::read(String::new(), self.json()).map(Members::into_rest).unwrap_or_default()
    }

    /// Keeps members that are left of an object; `None`: none is left.
    pub(super) fn of(members: Members<'_>, warnings: &mut Warnings) -> Option<Self> {
        let path = members.path("");
        let rest = members.into_rest();
        if rest.is_empty() {
            return None;
        }
        let mut json = String::new();
        write_object(&mut json, &rest, &path, warnings);
        RawValue::from_string(json).ok().map(Self)
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

/// Writes one member's value as it is kept.
fn write_member(out: &mut String, name: &str, json: &str, path: &str, warnings: &mut Warnings) {
    if is_secret_name(name) && json != "null" {
        warnings.add(path, "masked", &format!("{path} looks like a secret: it is masked and not stored"));
        out.push_str(&quoted(MASKED));
    } else if depth(json) > MAX_DEPTH {
        let detail = format!("{path} is nested deeper than {MAX_DEPTH}: it is kept as text");
        warnings.add(path, "too_deep", &detail);
        out.push_str(&quoted(&without_secrets(json)));
    } else {
        write_value(out, json, path, warnings);
    }
}

fn write_value(out: &mut String, json: &str, path: &str, warnings: &mut Warnings) {
    match json.as_bytes().first() {
        Some(b'{') => {
            if let Ok(members) = Members::read(path.to_owned(), json) {
                write_object(out, &members.into_rest(), path, warnings);
            } else {
                // A member's name is half a character.
                let whole = without_halves(json);
                let members = Members::read(path.to_owned(), &whole).map(Members::into_rest);
                write_object(out, &members.unwrap_or_default(), path, warnings);
            }
        }
        Some(b'[') => {
            out.push('[');
            for (place, value) in elements(json).into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_value(out, value, &below(path, &format!("[{place}]")), warnings);
            }
            out.push(']');
        }
        Some(b'"') => write_string(out, json, path, warnings),
        Some(b'-' | b'0'..=b'9') => write_number(out, json, path, warnings),
        _ => out.push_str(json),
    }
}

fn write_string(out: &mut String, json: &str, path: &str, warnings: &mut Warnings) {
    let Ok(text) = serde_json::from_str::<String>(json) else {
        warnings.add(
            path,
            "not_unicode",
            &format!("{path} holds half a character: another stands in its place"),
        );
        let whole = without_halves(json);
        let text: Option<String> = serde_json::from_str(&whole).ok();
        match text.as_deref().and_then(mask_card_numbers) {
            Some(masked) => write_masked(out, &masked, path, warnings),
            None => out.push_str(&whole),
        }
        return;
    };
    match mask_card_numbers(&text) {
        Some(masked) => write_masked(out, &masked, path, warnings),
        None => out.push_str(json),
    }
}

fn write_number(out: &mut String, json: &str, path: &str, warnings: &mut Warnings) {
    if let Some(masked) = mask_card_numbers(json) {
        write_masked(out, &masked, path, warnings);
    } else if json.parse::<f64>().is_ok_and(f64::is_finite) {
        out.push_str(json);
    } else {
        // With it, most readers would take nothing of the whole order.
        let detail = format!("{path} is a number that most programs cannot read: it is kept as text");
        warnings.add(path, "out_of_range", &detail);
        out.push_str(&quoted(json));
    }
}

fn write_masked(out: &mut String, masked: &str, path: &str, warnings: &mut Warnings) {
    warnings.add(path, "masked", &format!("{path} holds a card number: it is masked"));
    out.push_str(&quoted(masked));
}

/// JSON as a text, without what is secret in it: where a name says so of any member, all of it is masked.
fn without_secrets(json: &str) -> Cow<'_, str> {
    if json.split('"').any(is_secret_name) {
        return MASKED.into();
    }
    mask_card_numbers(json).map_or(json.into(), Cow::from)
}

/// A value as it is kept, without what is secret in it.
pub(super) fn kept(json: &str) -> String {
    let mut out = String::new();
    if depth(json) > MAX_DEPTH {
        return without_secrets(json).into_owned();
    }
    write_value(&mut out, json, "", &mut Warnings::default());
    out
}

/// A JSON text with a replacement character for each half of a UTF-16 pair that stands alone: RFC 8259 lets it pass (8.2),
/// and no text can hold it.
pub(super) fn without_halves(json: &str) -> String {
    let unit = |at: usize| {
        let escape = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = json[at..].find('\\') {
        at += found;
        at += match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                out.extend([&json[copied..at], "\u{fffd}"]);
                copied = at + 6;
                6
            }
            // An escape has two characters at least; where this is no JSON, the second may be any.
            _ => 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
        };
    }
    out.push_str(&json[copied..]);
    out
}

fn write_object(out: &mut String, members: &[(String, Cow<'_, str>)], path: &str, warnings: &mut Warnings) {
    out.push('{');
    for (place, (name, json)) in members.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(&quoted(name));
        out.push(':');
        write_member(out, name, json, &below(path, name), warnings);
    }
    out.push('}');
}

fn elements(json: &str) -> Vec<&str> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
    elements.into_iter().map(RawValue::get).collect()
}

/// JSON in one form: members sorted, numbers as they are written.
pub(super) fn canonical(json: &str) -> String {
    let mut out = String::new();
    write_canonical(&mut out, json);
    out
}

fn write_canonical(out: &mut String, json: &str) {
    match json.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
            out.push('{');
            for (place, (name, value)) in members.into_iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(&quoted(&name));
                out.push(':');
                write_canonical(out, value.get());
            }
            out.push('}');
        }
        Some(b'[') => {
            out.push('[');
            for (place, value) in elements(json).into_iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                write_canonical(out, value);
            }
            out.push(']');
        }
        Some(b'"') => match serde_json::from_str::<String>(json) {
            Ok(text) => out.push_str(&quoted(&text)),
            Err(_) => out.push_str(json),
        },
        _ => out.push_str(json),
    }
}

/// How deep JSON is nested: 0 for a value that holds no others.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
