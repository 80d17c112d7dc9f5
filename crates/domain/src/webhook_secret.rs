//! The keys that sign what is sent to one webhook.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// `whsec_` and the base64 of 32 bytes (Standard Webhooks: 24 to 64). Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

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
        Self(format!("whsec_{}", STANDARD.encode(random)))
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
