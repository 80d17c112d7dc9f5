//! Tokens in the links that subscribers get: they prove, without a stored list, that we made the link.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::Invalid;
use crate::id::SubscriptionId;

/// The secret that makes tokens, one block of the hash long; kept in the data folder. Its `Debug` form hides it.
#[derive(Clone)]
pub struct LinkKey([u8; 64]);

/// What a link is for. A token for one purpose is worthless for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Works until the confirmation expires or another is sent.
    Confirm,
    /// Works for ever.
    Unsubscribe,
}

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkToken {
    /// What the link is for.
    pub purpose: Purpose,
    /// Whose it is.
    pub subscription: SubscriptionId,
    /// Which confirmation it came with; 0 for an unsubscribe link.
    pub generation: u32,
}

/// The subscription's 16 bytes, the generation's 4, and a MAC of 32.
const LENGTH: usize = 52;
const SAID: usize = 20;
/// The token's characters: base64 without padding.
const TEXT_LENGTH: usize = (LENGTH * 4).div_ceil(3);

impl LinkKey {
    /// Takes the secret's bytes.
    #[must_use]
    pub fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Another secret, which tells nothing of this one: the same for the same purpose.
    #[must_use]
    pub fn secret_for(&self, purpose: &str) -> [u8; 32] {
        let mac = <Hmac<Sha256> as KeyInit>::new((&self.0).into());
        mac.chain_update("orderbell.secret.v1.").chain_update(purpose).finalize().into_bytes().into()
    }

    fn mac(&self, purpose: Purpose, said: &[u8]) -> Hmac<Sha256> {
        let context: &[u8] = match purpose {
            Purpose::Confirm => b"orderbell.link.v1.confirm\0",
            Purpose::Unsubscribe => b"orderbell.link.v1.unsubscribe\0",
        };
        let key = (&self.0).into();
        <Hmac<Sha256> as KeyInit>::new(key).chain_update(context).chain_update(said)
    }
}

impl LinkToken {
    /// The token's text, for a URL.
    #[must_use]
    pub fn sign(&self, key: &LinkKey) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend_from_slice(self.subscription.0.as_bytes());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        let mac = key.mac(self.purpose, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token that was made with `key` for `purpose`.
    ///
    /// # Errors
    /// `invalid_token` for everything else.
    pub fn verify(text: &str, purpose: Purpose, key: &LinkKey) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("invalid_token", "token", "This link is not valid");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let bytes: [u8; LENGTH] = bytes.try_into().map_err(|_| invalid())?;
        let (said, mac) = bytes.split_at(SAID);
        key.mac(purpose, said).verify_slice(mac).map_err(|_| invalid())?;
        let (subscription, generation) = said.split_at(16);
        Ok(Self {
            purpose,
            subscription: SubscriptionId(Uuid::from_slice(subscription).map_err(|_| invalid())?),
            generation: u32::from_be_bytes(generation.try_into().map_err(|_| invalid())?),
        })
    }
}

/// The token in a link's query string, whatever carriers made of it: parameters that others added are ignored, as is what
/// stands behind the token's own characters; `&amp;` counts as `&`. Empty where there is none, or where there are two:
/// nobody knows which was meant.
#[must_use]
pub fn token_in_query(query: &str) -> String {
    let ours = |name: &str| name.trim_start_matches("amp;") == "token";
    let values = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| ours(name));
    let mut tokens = values.map(|(_, value)| bare(&value).to_owned()).filter(|token| !token.is_empty());
    let token = tokens.next().unwrap_or_default();
    if tokens.all(|other| other == token) { token } else { String::new() }
}

/// The token in a link as a person copied it, or in the token alone. A mail service that checks links has its own link lead
/// to ours, which then stands in one of its parameters.
#[must_use]
pub fn token_in_link(text: &str) -> String {
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\''));
    let query = text.split_once('?').map(|(_, query)| query);
    let Some(query) = query.or_else(|| text.contains("token=").then_some(text)) else {
        return bare(text).to_owned();
    };
    let query = query.split('#').next().unwrap_or_default();
    let token = token_in_query(query);
    if !token.is_empty() {
        return token;
    }
    let values = url::form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value);
    let mut inner = values.filter_map(|value| Some(token_in_query(value.split_once('?')?.1)));
    inner.find(|token| !token.is_empty()).unwrap_or_default()
}

/// A token's own characters at the beginning of `value`, no more than it has; `3D` before them is left of an undecoded
/// quoted-printable `=`.
fn bare(value: &str) -> &str {
    let foreign = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let token = value.split(foreign).next().unwrap_or_default();
    let token = token.strip_prefix("3D").filter(|rest| rest.len() >= TEXT_LENGTH).unwrap_or(token);
    token.get(..TEXT_LENGTH).unwrap_or(token)
}

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(…)")
    }
}
