//! Keys: by their hashes, and which of them places orders.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The caller who presents the admin key.
pub(crate) const ADMIN: &str = "admin";

/// Who may place orders: everyone, or clients with a key.
#[derive(Debug, Clone)]
pub enum OrderAuth {
    /// Everyone. A key that is presented must be the admin key nevertheless.
    Open,
    /// Who presents one of these keys, or the admin key.
    Keys(Vec<ClientKey>),
}

/// A key that allows its holder to place orders.
#[derive(Debug, Clone)]
pub struct ClientKey {
    /// Names the holder: the scope of its idempotency keys. Neither empty, which is everyone without a key,
    /// nor `admin`.
    pub name: String,
    /// The key's hash.
    pub hash: KeyHash,
}

impl ClientKey {
    /// Reads keys as hosts have them configured: entries `NAME=HASH` with commas between them.
    ///
    /// # Errors
    /// The rule that is broken, as a sentence that wants the setting's name before it.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let wrong = || "must be entries NAME=HASH as `orderbell key new NAME` prints them".to_owned();
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                let (name, hash) = entry.split_once('=').ok_or_else(wrong)?;
                let hash = KeyHash::parse(hash.trim()).ok_or_else(wrong)?;
                match name.trim() {
                    "" | "admin" => Err("may name no key `admin` and none without a name".to_owned()),
                    name => Ok(Self { name: name.to_owned(), hash }),
                }
            })
            .collect()
    }
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

    /// A secret for [`Settings::client_digest_secret`](crate::Settings::client_digest_secret) that all processes have in
    /// common which know this hash.
    #[must_use]
    pub fn client_digest_secret(&self) -> [u8; 32] {
        Sha256::new().chain_update("orderbell.origin.v1\0").chain_update(self.0).finalize().into()
    }

    /// Whether both are hashes of the same key.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Enough of it to know a key again that was seen before.
    pub(crate) fn beginning(&self) -> u64 {
        self.0.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
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
    fn clients_keys_are_read_from_a_list_of_names_and_hashes() {
        let hash = KeyHash::of("a key");
        let keys = ClientKey::parse_list(&format!("shop={hash}, kiosk = {hash},")).unwrap();
        assert_eq!(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["shop", "kiosk"]);
        assert!(keys.iter().all(|key| key.hash.matches(&hash)));
        for wrong in ["shop", "shop=123", &format!("={hash}"), &format!("admin={hash}")] {
            assert!(ClientKey::parse_list(wrong).is_err(), "{wrong}");
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
