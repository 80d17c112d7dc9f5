//! The keys that sign what is sent to one webhook.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::Invalid;

/// `whsec_` and the base64 of 24 to 64 bytes, as Standard Webhooks has it; ours are 32 long. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

/// How many bytes a secret may have (Standard Webhooks 1.0, "Signature scheme").
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;
const PREFIX: &str = "whsec_";

/// How long a replaced secret still signs beside the new one, so that a receiver can change over in peace: 24 h, as
/// Svix has it.
pub const OVERLAP: Duration = Duration::from_hours(24);

/// A webhook's secret, and the one it replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecrets {
    /// Signs every message.
    pub current: WebhookSecret,
    /// Signs too, until that time.
    pub previous: Option<(WebhookSecret, Timestamp)>,
}

impl WebhookSecrets {
    /// The secrets of a new webhook.
    #[must_use]
    pub fn new(current: WebhookSecret) -> Self {
        Self { current, previous: None }
    }

    /// Puts `next` in the place of the current secret, which signs too for [`OVERLAP`].
    #[must_use]
    pub fn rotated(self, next: WebhookSecret, now: Timestamp) -> Self {
        Self { current: next, previous: Some((self.current, now + OVERLAP)) }
    }

    /// The secrets that sign at that time, the current one first.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Vec<WebhookSecret> {
        let previous = self.previous.iter().filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        [&self.current].into_iter().chain(previous).cloned().collect()
    }
}

impl WebhookSecret {
    /// Makes a secret of random bytes.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", STANDARD.encode(random)))
    }

    /// Reads a secret that the receiver chose.
    ///
    /// # Errors
    /// `invalid_secret` at `secret`; the message does not repeat it.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let bytes = text.strip_prefix(PREFIX).and_then(|encoded| STANDARD.decode(encoded).ok());
        match bytes {
            Some(bytes) if LENGTH.contains(&bytes.len()) => Ok(Self(text.to_owned())),
            _ => {
                let message = "secret must be whsec_ and the base64 of 24 to 64 bytes";
                Err(Invalid::new("invalid_secret", "secret", message))
            }
        }
    }

    /// Takes a secret back from the store.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The secret as the receiver configures it. Show it once; never log it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: usize) -> String {
        format!("{PREFIX}{}", STANDARD.encode(vec![0xA5; bytes]))
    }

    #[test]
    fn a_secret_of_the_receivers_has_24_to_64_bytes() {
        for right in [of(24), of(25), of(32), of(64), WebhookSecret::new([1; 32]).reveal().to_owned()] {
            assert_eq!(WebhookSecret::parse(&right).unwrap().reveal(), right);
        }
        let bare = of(32).replace(PREFIX, "");
        let url_safe = of(32).replace('+', "-").replace("pa", "p_");
        for wrong in ["", PREFIX, "secret", &of(23), &of(65), &bare, &url_safe, &format!("{} ", of(32))] {
            let invalid = WebhookSecret::parse(wrong).unwrap_err();
            assert_eq!((invalid.code, invalid.field.as_str()), ("invalid_secret", "secret"), "{wrong}");
            assert!(!invalid.message.contains(&bare), "what was wrong may be somebody's secret");
        }
    }
}
