//! What an order said beyond its own members: kept as it came, and never mixed with them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::members::Members;
use super::sensitive::{MASKED, is_secret_name, mask_card_numbers};
use super::warning::{Warnings, below};
use crate::json_text::{depth, elements, quoted, without_halves};

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
        members_of(self.json())
    }

    /// Those of its members whose names are wanted, as they stand there; `None`: none is.
    #[must_use]
    pub fn filtered(&self, is_wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let members = self.members();
        if members.iter().all(|(name, _)| is_wanted(name)) {
            return Some(self.clone());
        }
        let wanted = members.iter().filter(|(name, _)| is_wanted(name));
        let wanted: Vec<_> = wanted.map(|(name, json)| format!("{}:{json}", quoted(name))).collect();
        if wanted.is_empty() {
            return None;
        }
        RawValue::from_string(format!("{{{}}}", wanted.join(","))).ok().map(Self)
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

/// The members of a JSON object, in its order, each with its JSON; of what is no object, none.
pub(crate) fn members_of(json: &str) -> Vec<(String, Cow<'_, str>)> {
    Members::read(String::new(), json).map(Members::into_rest).unwrap_or_default()
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

/// Writes one member's value as it is kept.
fn write_member(out: &mut String, name: &str, json: &str, path: &str, warnings: &mut Warnings) {
    if is_secret_name(name) && json != "null" {
        warnings.secret(path);
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
    let (mut written, mut text) = (Cow::Borrowed(json), serde_json::from_str::<String>(json));
    if text.is_err() {
        warnings.add(
            path,
            "not_unicode",
            &format!("{path} holds half a character: another stands in its place"),
        );
        written = without_halves(json).into();
        text = serde_json::from_str(&written);
    }
    match text.ok().as_deref().and_then(mask_card_numbers) {
        Some(masked) => write_masked(out, &masked, path, warnings),
        None => out.push_str(&written),
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
    warnings.card_number(path);
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
