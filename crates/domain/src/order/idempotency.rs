//! The key under which a client repeats an order without placing it twice.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::OrderDetails;
use super::extra::Extra;
use crate::Invalid;
use crate::json_text::canonical;

/// A client's `Idempotency-Key` (IETF draft): 16 to 255 visible ASCII characters; quoted and bare forms are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// The shortest key: a shorter one is too easily another client's too.
pub const MIN_KEY: usize = 16;
/// The longest key.
pub const MAX_KEY: usize = 255;
/// How long a key lives where nothing else is chosen.
pub const DEFAULT_LIFETIME: Duration = Duration::from_hours(24);
/// How long it can be chosen to live, in hours: up to a year.
pub const LIFETIME_HOURS: RangeInclusive<u64> = 1..=8_760;

impl IdempotencyKey {
    /// Reads the header's value.
    ///
    /// # Errors
    /// `invalid_idempotency_key`, with the limits.
    pub fn parse(header: &str) -> Result<Self, Invalid> {
        let bare = header.trim();
        let key = bare.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(bare);
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        if visible && (MIN_KEY..=MAX_KEY).contains(&key.len()) {
            return Ok(Self(key.to_owned()));
        }
        let message = format!("Idempotency-Key must be {MIN_KEY} to {MAX_KEY} visible ASCII characters");
        Err(Invalid::new("invalid_idempotency_key", "Idempotency-Key", message))
    }

    /// The key without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 of the parsed order, after a version byte: what counts as "the same order" can change without harm.
pub type Fingerprint = [u8; 32];

const VERSION: &[u8] = b"orderbell.order.v2\0";

impl OrderDetails {
    /// The fingerprint of what was asked for: of the members as they are read, and of all else in one form. White space
    /// and the order of members do not count.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Sha256::new().chain_update(VERSION).chain_update(self.asked_for()).finalize().into()
    }

    /// What was asked for, in one form. Only what stands in `extra` can be written in several.
    fn asked_for(&self) -> String {
        let without_warnings = || Self { warnings: Vec::new(), ..self.clone() };
        let told = (!self.warnings.is_empty()).then(without_warnings);
        // It cannot fail: an order's content is strings, numbers, and maps with text keys.
        let json = serde_json::to_string(told.as_ref().unwrap_or(self)).unwrap_or_default();
        let has_extra = self.extra.is_some() || self.products.items.iter().any(|item| item.extra.is_some());
        if has_extra { canonical(&json) } else { json }
    }

    /// The names of the members in which two orders differ.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let [ours, theirs] = [self.canonical_members(), other.canonical_members()];
        let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name)).cloned().collect()
    }

    /// Each member in one form; those of `extra` by themselves.
    fn canonical_members(&self) -> BTreeMap<String, String> {
        let json = self.asked_for();
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(&json).unwrap_or_default();
        let known = members.into_iter().filter(|(name, _)| name != "extra");
        let extra = self.extra.iter().flat_map(Extra::members);
        let extra = extra.map(|(name, json)| (format!("extra.{name}"), canonical(&json)));
        known.map(|(name, json)| (name, canonical(json.get()))).chain(extra).collect()
    }
}

#[cfg(test)]
mod fingerprint_tests {
    use super::*;

    fn fingerprint(json: &str) -> Fingerprint {
        OrderDetails::parse(json.as_bytes()).unwrap().fingerprint()
    }

    #[test]
    fn the_same_order_written_otherwise_has_the_same_fingerprint() {
        let one = fingerprint(r#"{"customerName":"Jo","productName":"Mouse","attributes":{"a":1,"b":true}}"#);
        let other = fingerprint(
            r#" {"attributes":{"b":true,"a":1}, "productName":"Mo\u0075se", "customerName":"Jo"}"#,
        );
        assert_eq!(one, other);
    }

    #[test]
    fn another_order_has_another_fingerprint() {
        let one = fingerprint(r#"{"customerName":"Jo","productName":"Mouse"}"#);
        assert_ne!(one, fingerprint(r#"{"customerName":"Jo","productName":"Mouse","quantity":2}"#));
        assert_ne!(one, fingerprint(r#"{"customerName":"Jo","productName":"mouse"}"#));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_bare_keys_are_equal() {
        assert_eq!(
            IdempotencyKey::parse("\"0123456789abcdef\""),
            IdempotencyKey::parse(" 0123456789abcdef ")
        );
    }

    #[test]
    fn a_key_under_16_characters_or_over_255_or_with_spaces_is_refused() {
        for key in ["0123456789abcde", "", "\"\"", "0123456789 abcdef", "0123456789abcdé", &"k".repeat(256)]
        {
            assert_eq!(IdempotencyKey::parse(key).unwrap_err().code, "invalid_idempotency_key", "{key}");
        }
    }
}
