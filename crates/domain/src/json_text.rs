//! What encoding a JSON text is in: RFC 8259 wants UTF-8, and some programs write others.

use std::fmt;

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
