//! What a host decides about its HTTP side.

use std::sync::Arc;

use domain::receipt::Receipt;
use http::HeaderMap;
use url::Url;

use crate::auth_throttle::AuthThrottle;
use crate::handling::Handling;
use crate::host_policy::HostPolicy;
use crate::keys::{KeyHash, OrderAuth};
use crate::order_path_alias::OrderPathAlias;
use crate::rate_limits::OrderLimits;

/// What a host decides about its HTTP side.
#[derive(Clone)]
pub struct Settings {
    /// Opens management routes and the console. `None`: management routes answer 403 `management_disabled`.
    pub admin_key: Option<KeyHash>,
    /// Hides where callers without a key come from, in what is kept with an `Idempotency-Key`. Where it changes, another
    /// order under a live key is taken for that of somebody else.
    pub client_digest_secret: [u8; 32],
    /// Opens `/metrics`, as the admin key does.
    pub metrics_key: Option<KeyHash>,
    /// Throttles whoever presents wrong keys.
    pub auth_throttle: Arc<AuthThrottle>,
    /// Who may place orders.
    pub order_auth: OrderAuth,
    /// Where orders are placed besides `/create-order`.
    pub order_path_aliases: Vec<OrderPathAlias>,
    /// What becomes of an order of which a member cannot be read, where its client prefers nothing.
    pub intake_handling: Handling,
    /// How many orders may come.
    pub order_limits: OrderLimits,
    /// The origins whose pages may place orders: exact ones such as `https://shop.example`, or `*` for all.
    /// Empty: the order route knows no CORS. An entry that cannot be a header's value matches nothing.
    pub cors_allow_origins: Vec<String>,
    /// Which requests are let in, by the host that they name.
    pub host_policy: HostPolicy,
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
pub type ReceiptReader =
    Arc<dyn Fn(&StatusCallback<'_>) -> Result<Option<Receipt>, InvalidSignature> + Send + Sync>;

/// A provider's status callback, as it came to a receipt's address.
#[derive(Debug, Clone, Copy)]
pub struct StatusCallback<'a> {
    /// The address as the provider was given it.
    pub url: &'a str,
    /// Its headers, a signature among them.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a [u8],
}

/// The callback's signature is missing or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSignature;

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
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let origins: Vec<_> = entries.map(str::to_owned).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
