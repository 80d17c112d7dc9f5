//! What a host decides about its HTTP side.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a host decides about its HTTP side.
#[derive(Clone)]
pub struct Settings {
    /// Opens management routes and the console. `None`: management routes answer 403 `management_disabled`.
    pub admin_key: Option<KeyHash>,
    /// Who may place orders.
    pub intake: Intake,
    /// The origins whose pages may place orders: exact ones such as `https://shop.example`, or `*` for all.
    /// Empty: the order route knows no CORS. An entry that cannot be a header's value matches nothing.
    pub cors_allow_origins: Vec<String>,
    /// Where people reach this host: scheme, host and port. Cookies are `Secure` if it begins with `https`.
    pub public_url: String,
    /// Renders Prometheus text; `None`: `/metrics` answers 501.
    pub metrics: Option<Arc<dyn Fn() -> String + Send + Sync>>,
    /// Signs the console's session cookies. Sessions do not outlive it, so it may be fresh at each start.
    pub console_secret: [u8; 32],
    /// The program's version, as pages show it.
    pub version: &'static str,
}

/// Who may place orders.
#[derive(Debug, Clone)]
pub enum Intake {
    /// Everyone. A key that is presented must be the admin key nevertheless.
    Open,
    /// Who presents one of these keys, or the admin key.
    Keys(Vec<IntakeKey>),
}

/// A key that allows its holder to place orders.
#[derive(Debug, Clone)]
pub struct IntakeKey {
    /// Names the holder: the scope of its idempotency keys. Neither empty, which is everyone without a key,
    /// nor `admin`.
    pub name: String,
    /// The key's hash.
    pub hash: KeyHash,
}

/// The SHA-256 of a key; comparing takes the same time whatever differs.
#[derive(Debug, Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of `key`.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Reads a hash as it is shown: 64 hexadecimal digits.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, place) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&hex[place..place + 2], 16).ok()?;
        }
        Some(Self(hash))
    }

    /// Whether both are hashes of the same key.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written_and_nothing_else_is() {
        let hash = KeyHash::of("secret");
        assert!(KeyHash::parse(&hash.to_string()).is_some_and(|read| read.matches(&hash)));
        for text in ["", "00", &"0".repeat(63), &"0".repeat(66), &"+1".repeat(32), &"é".repeat(32)] {
            assert!(KeyHash::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_key_matches_its_own_hash_and_no_other() {
        assert!(KeyHash::of("secret").matches(&KeyHash::of("secret")));
        assert!(!KeyHash::of("secret").matches(&KeyHash::of("Secret")));
    }

    #[test]
    fn a_hash_is_read_as_it_is_shown() {
        let shown = KeyHash::of("secret").to_string();
        assert!(KeyHash::parse(&shown).unwrap().matches(&KeyHash::of("secret")));
        for wrong in ["", "00", &shown[1..], &shown.replacen(|_: char| true, "+", 1), &"é".repeat(32)] {
            assert!(KeyHash::parse(wrong).is_none(), "{wrong}");
        }
    }
}
