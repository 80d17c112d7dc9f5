//! Tokens in the links that subscribers get: they prove, without a stored list, that we made the link.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use uuid::Uuid;

use crate::Invalid;
use crate::id::{DeliveryId, SubscriptionId};

/// How long the link to an order works, from when its message was made: as long as the order is anybody's concern.
pub const ORDER_LINK_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// The secret that makes tokens, one block of the hash long; kept in the data folder. Its `Debug` form hides it.
#[derive(Clone)]
pub struct LinkKey([u8; 64]);

/// What a subscription's link is for. A token for one purpose is worthless for any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Works until the confirmation expires or another is sent.
    Confirm,
    /// Works for ever.
    Unsubscribe,
}

/// What a subscription's token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkToken {
    /// What the link is for.
    pub purpose: Purpose,
    /// Whose it is.
    pub subscription: SubscriptionId,
    /// Which confirmation it came with; 0 for an unsubscribe link.
    pub generation: u32,
}

/// What the token of an order's link says: whose message it stood in, which names the order and the subscription. It is
/// short, for text messages: 43 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderToken {
    /// The message.
    pub delivery: DeliveryId,
}

/// How the tokens of one purpose are made: so many bytes that say something, and so many of a MAC over these.
struct Form {
    context: &'static [u8],
    said: usize,
    mac: usize,
}

/// The subscription's 16 bytes and the generation's 4.
const CONFIRM: Form = Form { context: b"orderbell.link.v1.confirm\0", said: 20, mac: 32 };
const UNSUBSCRIBE: Form = Form { context: b"orderbell.link.v1.unsubscribe\0", said: 20, mac: 32 };
/// The delivery's 16 bytes. A MAC of 16 is as hard to guess as an id, and nobody can try one but by asking us.
const ORDER: Form = Form { context: b"orderbell.link.v1.order\0", said: 16, mac: 16 };

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
}

impl Form {
    fn mac(&self, key: &LinkKey, said: &[u8]) -> Hmac<Sha256> {
        let key = (&key.0).into();
        <Hmac<Sha256> as KeyInit>::new(key).chain_update(self.context).chain_update(said)
    }

    /// The token that says these bytes, for a URL.
    fn sign(&self, key: &LinkKey, said: &[u8]) -> String {
        let mac = self.mac(key, said).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(said.iter().chain(mac.iter().take(self.mac)).copied().collect::<Vec<_>>())
    }

    /// The bytes that a token says, if it was made with this key for this purpose.
    fn verify(&self, key: &LinkKey, text: &str) -> Result<Vec<u8>, Invalid> {
        let mut said = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        if said.len() != self.said + self.mac {
            return Err(invalid());
        }
        let mac = said.split_off(self.said);
        // In a time that tells nothing of where the two differ.
        self.mac(key, &said).verify_truncated_left(&mac).map_err(|_| invalid())?;
        Ok(said)
    }

    /// The token's characters: base64 without padding.
    const fn characters(&self) -> usize {
        ((self.said + self.mac) * 4).div_ceil(3)
    }
}

impl Purpose {
    fn form(self) -> &'static Form {
        match self {
            Self::Confirm => &CONFIRM,
            Self::Unsubscribe => &UNSUBSCRIBE,
        }
    }
}

fn invalid() -> Invalid {
    Invalid::new("invalid_token", "token", "This link is not valid")
}

impl LinkToken {
    /// The token's text, for a URL.
    #[must_use]
    pub fn sign(&self, key: &LinkKey) -> String {
        let said = [&self.subscription.0.as_bytes()[..], &self.generation.to_be_bytes()].concat();
        self.purpose.form().sign(key, &said)
    }

    /// Reads a token that was made with `key` for `purpose`.
    ///
    /// # Errors
    /// `invalid_token` for everything else.
    pub fn verify(text: &str, purpose: Purpose, key: &LinkKey) -> Result<Self, Invalid> {
        let said = purpose.form().verify(key, text)?;
        let (subscription, generation) = said.split_at_checked(16).ok_or_else(invalid)?;
        Ok(Self {
            purpose,
            subscription: SubscriptionId(Uuid::from_slice(subscription).map_err(|_| invalid())?),
            generation: u32::from_be_bytes(generation.try_into().map_err(|_| invalid())?),
        })
    }
}

impl OrderToken {
    /// The token's text, for a URL.
    #[must_use]
    pub fn sign(&self, key: &LinkKey) -> String {
        ORDER.sign(key, self.delivery.0.as_bytes())
    }

    /// Reads a token that was made with `key`, from its part of a link's path, whatever stands behind the token's own
    /// characters there, and however those are encoded.
    ///
    /// # Errors
    /// `invalid_token` for everything else.
    pub fn verify(text: &str, key: &LinkKey) -> Result<Self, Invalid> {
        // Decoded as a name in a query is: what a path means otherwise by it, no token has.
        let name =
            url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name).unwrap_or_default();
        let said = ORDER.verify(key, bare(&name, ORDER.characters()))?;
        Ok(Self { delivery: DeliveryId(Uuid::from_slice(&said).map_err(|_| invalid())?) })
    }

    /// Whether the link still works at that time.
    #[must_use]
    pub fn works(&self, at: Timestamp) -> bool {
        self.delivery.time().checked_add(ORDER_LINK_LIFETIME).is_ok_and(|end| at < end)
    }
}

/// The token in a link's query string, whatever carriers made of it: parameters that others added are ignored, as is what
/// stands behind the token's own characters; `&amp;` counts as `&`. Empty where there is none, or where there are two:
/// nobody knows which was meant.
#[must_use]
pub fn token_in_query(query: &str) -> String {
    let ours = |name: &str| name.trim_start_matches("amp;") == "token";
    let values = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| ours(name));
    let mut tokens = values
        .map(|(_, value)| bare(&value, CONFIRM.characters()).to_owned())
        .filter(|token| !token.is_empty());
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
        return bare(text, CONFIRM.characters()).to_owned();
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
fn bare(value: &str, characters: usize) -> &str {
    let foreign = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let token = value.split(foreign).next().unwrap_or_default();
    let token = token.strip_prefix("3D").filter(|rest| rest.len() >= characters).unwrap_or(token);
    token.get(..characters).unwrap_or(token)
}

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(…)")
    }
}
