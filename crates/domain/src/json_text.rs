//! What JSON texts may be that readers take differently: in another encoding than RFC 8259's UTF-8, with a member twice, with
//! half a character, or nested deep; and the one form in which two of them can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text is not UTF-8, or it is compressed: how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUtf8(&'static str);

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// How encodings begin that no JSON in UTF-8 begins with. A longer beginning stands before the one that it begins with.
const BEGINNINGS: [(&[u8], &str); 11] = [
    (b"\xFF\xFE\0\0", "UTF-32"),
    (b"\0\0\xFE\xFF", "UTF-32"),
    (b"\xFF\xFE", "UTF-16"),
    (b"\xFE\xFF", "UTF-16"),
    (b"\x1F\x8B", "gzip"),
    (b"\x28\xB5\x2F\xFD", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bzip2"),
    (b"\x78\x01", "deflate"),
    (b"\x78\x9C", "deflate"),
    (b"\x78\xDA", "deflate"),
];

/// The text without the mark that some editors and programs put before UTF-8.
///
/// # Errors
/// It is in another encoding, as its first bytes say: JSON begins with an ASCII character (RFC 4627, 3).
pub fn utf8(bytes: &[u8]) -> Result<&[u8], NotUtf8> {
    if let Some(rest) = bytes.strip_prefix(BYTE_ORDER_MARK) {
        return Ok(rest);
    }
    if let Some((_, name)) = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return Err(NotUtf8(name));
    }
    match bytes {
        [0, 0, 0, first, ..] | [first, 0, 0, 0, ..] if *first != 0 => Err(NotUtf8("UTF-32")),
        [0, first, ..] | [first, 0, ..] if *first != 0 => Err(NotUtf8("UTF-16")),
        _ => Ok(bytes),
    }
}

/// The name of the first member that a JSON object itself has twice: which of the two counts, readers disagree about (RFC
/// 8259, 4). `None` if it has none, or is no object.
#[must_use]
pub fn repeated_member(object: &str) -> Option<String> {
    serde_json::from_str::<Repeated>(object).ok().and_then(|Repeated(name)| name)
}

/// A JSON text with a replacement character for each half of a UTF-16 pair that stands alone: RFC 8259 lets it pass (8.2),
/// and no text can hold it.
pub(crate) fn without_halves(json: &str) -> String {
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

/// JSON in one form: members sorted, numbers as they are written.
pub(crate) fn canonical(json: &str) -> String {
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

/// The elements of an array, each as it is written; none where it is none.
pub(crate) fn elements(json: &str) -> Vec<&str> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
    elements.into_iter().map(RawValue::get).collect()
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    // It cannot fail: any text can be written as JSON.
    serde_json::to_string(text).unwrap_or_default()
}

/// How deep JSON is nested: 0 for a value that holds no others.
pub(crate) fn depth(json: &str) -> usize {
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

struct Repeated(Option<String>);

impl<'de> Deserialize<'de> for Repeated {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Repeated;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Repeated, A::Error> {
        let (mut seen, mut repeated) = (BTreeSet::new(), None);
        while let Some((name, _)) = members.next_entry::<String, IgnoredAny>()? {
            if let Some(again) = seen.replace(name) {
                repeated.get_or_insert(again);
            }
        }
        Ok(Repeated(repeated))
    }
}

impl NotUtf8 {
    /// The encoding's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is {}, where JSON must be UTF-8", self.0)
    }
}

impl std::error::Error for NotUtf8 {}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf_16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    fn utf_32(text: &str, order: fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().map(u32::from).flat_map(order).collect()
    }

    #[test]
    fn a_mark_before_utf_8_is_passed_over_and_no_more_of_the_text() {
        for (bytes, text) in [
            ("\u{FEFF}{}", "{}"),
            ("\u{FEFF}", ""),
            ("\u{FEFF}\u{FEFF}{}", "\u{FEFF}{}"),
            ("{}", "{}"),
            ("", ""),
            (" \n{\"a\":\"\u{FEFF}\"}", " \n{\"a\":\"\u{FEFF}\"}"),
            ("x", "x"),
        ] {
            assert_eq!(utf8(bytes.as_bytes()), Ok(text.as_bytes()), "{bytes:?}");
        }
    }

    #[test]
    fn another_encoding_is_known_by_its_mark_or_its_zeros() {
        for text in ["{\"customerName\":\"Jo\"}", "\u{FEFF}{\"a\":\"é📦\"}", "{}", " ", "[\"☃\"]", "7"] {
            for bytes in [utf_16(text, u16::to_le_bytes), utf_16(text, u16::to_be_bytes)] {
                assert_eq!(utf8(&bytes), Err(NotUtf8("UTF-16")), "{text}: {bytes:?}");
            }
            for bytes in [utf_32(text, u32::to_le_bytes), utf_32(text, u32::to_be_bytes)] {
                assert_eq!(utf8(&bytes), Err(NotUtf8("UTF-32")), "{text}: {bytes:?}");
            }
        }
    }

    #[test]
    fn a_member_that_an_object_has_twice_is_named_however_it_is_written() {
        for (json, name) in [
            (r#"{"a":1,"a":1}"#, Some("a")),
            (r#"{"a":1,"b":2,"\u0061":{}}"#, Some("a")),
            (r#"{"b":1,"a":1,"a":2,"b":3}"#, Some("a")),
            (r#"{"":1,"":null}"#, Some("")),
            (r#"{"a":{"b":1,"b":2}}"#, None),
            (r#"{"a":1,"A":1,"a ":1}"#, None),
            (r#"[{"a":1,"a":1}]"#, None),
            (r#"{"a":1,"a":1"#, None),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(repeated_member(json).as_deref(), name, "{json}");
        }
    }

    #[test]
    fn what_is_compressed_is_known_by_its_beginning() {
        for (bytes, name) in [
            (&b"\x1F\x8B\x08\0\0\0\0\0"[..], "gzip"),
            (b"\x78\x9C\xAB\x56", "deflate"),
            (b"\x78\x01", "deflate"),
            (b"\x78\xDA\xAB", "deflate"),
            (b"\x28\xB5\x2F\xFD\x20", "zstd"),
            (b"PK\x03\x04\x14\0", "zip"),
        ] {
            assert_eq!(utf8(bytes), Err(NotUtf8(name)));
        }
    }
}
