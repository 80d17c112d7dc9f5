//! The key that signs what is sent to one webhook.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// `whsec_` and the base64 of 32 bytes (Standard Webhooks: 24 to 64). Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

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
