//! What a host decides about its HTTP side.

use std::fmt;
use std::sync::Arc;

use domain::receipt::Receipt;
use http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use crate::front_door::FrontDoor;
use crate::intake_path::IntakePath;
use crate::order_limits::OrderLimits;
use crate::wrong_keys::WrongKeys;

/// What a host decides about its HTTP side.
#[derive(Clone)]
pub struct Settings {
    /// Opens management routes and the console. `None`: management routes answer 403 `management_disabled`.
    pub admin_key: Option<KeyHash>,
    /// Hides where callers without a key come from, in what is kept with an `Idempotency-Key`. Where it changes, another
    /// order under a live key is taken for that of somebody else.
    pub origin_secret: [u8; 32],
    /// Opens `/metrics`, as the admin key does.
    pub metrics_key: Option<KeyHash>,
    /// Who presented wrong keys lately.
    pub wrong_keys: Arc<WrongKeys>,
    /// Who may place orders.
    pub intake: Intake,
    /// Where orders are placed besides `/create-order`.
    pub intake_paths: Vec<IntakePath>,
    /// How many orders may come.
    pub order_limits: OrderLimits,
    /// The origins whose pages may place orders: exact ones such as `https://shop.example`, or `*` for all.
    /// Empty: the order route knows no CORS. An entry that cannot be a header's value matches nothing.
    pub cors_allow_origins: Vec<String>,
    /// Who is let in.
    pub front_door: FrontDoor,
    /// Where people reach this host: scheme, host and port. Cookies are `Secure` if it begins with `https`.
    pub public_url: String,
    /// Checks and reads what a provider reports of a message. `None`: `/receipts/…` answers 501.
    pub receipts: Option<ReceiptReader>,
    /// Renders Prometheus text; `None`: `/metrics` answers 501.
    pub metrics: Option<Arc<dyn Fn() -> String + Send + Sync>>,
    /// The program's version, as pages show it.
    pub version: &'static str,
}

/// Reads a provider's report: a receipt, or nothing yet.
pub type ReceiptReader = Arc<dyn Fn(&Report<'_>) -> Result<Option<Receipt>, NotFromProvider> + Send + Sync>;

/// What came to a receipt's address.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The address as the provider was given it.
    pub url: &'a str,
    /// Its headers, a signature among them.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a [u8],
}

/// The report's signature is missing or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFromProvider;

impl Settings {
    /// Whether browsers reach this host over https.
    pub(crate) fn is_secure(&self) -> bool {
        self.public_url.starts_with("https:")
    }

    /// Reads [`Self::cors_allow_origins`] as hosts have them configured: origins, or `*`, with commas between them.
    ///
    /// # Errors
    /// The rule that is broken, as a sentence that wants the setting's name before it.
    pub fn parse_origins(text: &str) -> Result<Vec<String>, String> {
        let origins: Vec<_> = entries(text).map(str::to_owned).collect();
        if origins.iter().all(|origin| origin == "*" || is_origin(origin)) {
            Ok(origins)
        } else {
            Err("must be * or origins such as https://shop.example.com".to_owned())
        }
    }
}

/// Whether it is an origin as browsers write it.
fn is_origin(text: &str) -> bool {
    let is_label = |label: &str| {
        let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        (1..=63).contains(&label.len())
            && ends(label.bytes().next())
            && ends(label.bytes().last())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.port() != Some(0)
            && url.domain().is_none_or(|domain| domain.split('.').all(is_label))
            && url.origin().ascii_serialization() == text
    })
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

impl IntakeKey {
    /// Reads keys as hosts have them configured: entries `NAME=HASH` with commas between them.
    ///
    /// # Errors
    /// The rule that is broken, as a sentence that wants the setting's name before it.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let wrong = || "must be entries NAME=HASH as `orderbell key new NAME` prints them".to_owned();
        entries(text)
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

/// The entries of a list written with commas.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
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

    /// A secret for [`Settings::origin_secret`] that all processes have in common which know this hash.
    #[must_use]
    pub fn origin_secret(&self) -> [u8; 32] {
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
        let keys = IntakeKey::parse_list(&format!("shop={hash}, kiosk = {hash},")).unwrap();
        assert_eq!(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["shop", "kiosk"]);
        assert!(keys.iter().all(|key| key.hash.matches(&hash)));
        for wrong in ["shop", "shop=123", &format!("={hash}"), &format!("admin={hash}")] {
            assert!(IntakeKey::parse_list(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_no_more_than_a_port() {
        let origins = Settings::parse_origins("https://shop.example, http://localhost:3000,*").unwrap();
        assert_eq!(origins, ["https://shop.example", "http://localhost:3000", "*"]);
        for wrong in [
            "shop.example",
            "https://shop.example/",
            "https://shop.example:443",
            "https://shop..example",
            "https://-shop.example",
            "https://shop.example:0",
            "null",
        ] {
            assert!(Settings::parse_origins(wrong).is_err(), "{wrong}");
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
