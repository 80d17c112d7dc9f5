//! Where a subscriber is reached: a mail address, a phone number or a URL, each checked and in one normal form.

use std::fmt;

use email_address::{EmailAddress as Parsed, Options};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::Invalid;

/// How a subscriber is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// A mail over SMTP.
    Email,
    /// A text message.
    Sms,
    /// An HTTP POST, signed as Standard Webhooks has it.
    Webhook,
    /// A message in a chat, through an incoming webhook in Slack's form.
    Chat,
}

/// A mail address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// A phone number in E.164 form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// The URL of a webhook's receiver, or of a chat's incoming webhook.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebhookUrl(Url);

/// Where one subscription's messages go. Two endpoints that are equal reach the same receiver.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// For [`Protocol::Email`].
    Email(EmailAddress),
    /// For [`Protocol::Sms`].
    Sms(PhoneNumber),
    /// For [`Protocol::Webhook`].
    Webhook(WebhookUrl),
    /// For [`Protocol::Chat`].
    Chat(WebhookUrl),
}

/// The longest webhook URL, in characters.
pub const MAX_URL: usize = 2_048;

impl Protocol {
    /// Every protocol there is.
    pub const ALL: [Self; 4] = [Self::Email, Self::Sms, Self::Webhook, Self::Chat];
    /// Their names, as an error lists them.
    pub const NAMES: &str = "email, sms, webhook, chat";

    /// Its name in the API, the store and the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Webhook => "webhook",
            Self::Chat => "chat",
        }
    }

    /// Reads a protocol's name.
    ///
    /// # Errors
    /// `unknown_protocol`, listing those there are.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        let message = format!("protocol must be one of {}", Self::NAMES);
        let unknown = || Invalid::new("unknown_protocol", "protocol", message);
        Self::ALL.into_iter().find(|protocol| protocol.name() == name).ok_or_else(unknown)
    }

    /// Whether all its messages go through one relay or provider, which may be down for all of them.
    #[must_use]
    pub fn has_provider(self) -> bool {
        matches!(self, Self::Email | Self::Sms)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl EmailAddress {
    /// Reads an address without a display name, at a domain's name, at most 254 bytes long; the domain is
    /// lower-cased.
    ///
    /// # Errors
    /// `invalid_email`, naming `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        let invalid = || Invalid::new("invalid_email", field, format!("{field} must be a mail address"));
        let address = Parsed::parse_with_options(text.trim(), options).map_err(|_| invalid())?;
        let controls = address.as_str().contains(char::is_control);
        if controls || address.as_str().len() > crate::order::limits::EMAIL {
            return Err(invalid());
        }
        Ok(Self(format!("{}@{}", address.local_part(), address.domain().to_ascii_lowercase())))
    }

    /// The part after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl PhoneNumber {
    /// Reads `+` and 7 to 15 digits, the first not 0 (ITU-T E.164); spaces, dots, hyphens and brackets are dropped.
    ///
    /// # Errors
    /// `invalid_phone`, naming `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let number: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        let digits = number.strip_prefix('+').unwrap_or_default();
        let valid = (7..=15).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0');
        let message = format!("{field} must be a phone number in E.164 form, such as +4915112345678");
        if valid { Ok(Self(number)) } else { Err(Invalid::new("invalid_phone", field, message)) }
    }
}

impl WebhookUrl {
    /// Reads an absolute `http` or `https` URL without credentials, at most 2,048 characters; a fragment is dropped.
    ///
    /// # Errors
    /// `invalid_url`, naming `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let invalid = |why: &str| Invalid::new("invalid_url", field, format!("{field} must be {why}"));
        let mut url = Url::parse(text.trim()).map_err(|_| invalid("an absolute http or https URL"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(invalid("an absolute http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("a URL without a user name or password"));
        }
        url.set_fragment(None);
        if url.as_str().len() > MAX_URL {
            return Err(invalid("at most 2048 characters long"));
        }
        Ok(Self(url))
    }

    /// The URL itself.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Endpoint {
    /// Reads the endpoint of a protocol.
    ///
    /// # Errors
    /// What its type says, naming the field `endpoint`.
    pub fn parse(protocol: Protocol, text: &str) -> Result<Self, Invalid> {
        match protocol {
            Protocol::Email => EmailAddress::parse("endpoint", text).map(Self::Email),
            Protocol::Sms => PhoneNumber::parse("endpoint", text).map(Self::Sms),
            Protocol::Webhook => WebhookUrl::parse("endpoint", text).map(Self::Webhook),
            Protocol::Chat => WebhookUrl::parse("endpoint", text).map(Self::Chat),
        }
    }

    /// The protocol that reaches it.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Email(_) => Protocol::Email,
            Self::Sms(_) => Protocol::Sms,
            Self::Webhook(_) => Protocol::Webhook,
            Self::Chat(_) => Protocol::Chat,
        }
    }

    /// The endpoint as a log may show it: `j***@example.com`, `+491***78`, `https://example.com/***`.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Email(address) => {
                let first = address.0.chars().next().unwrap_or('*');
                format!("{first}***@{}", address.domain())
            }
            Self::Sms(number) => format!("{}***{}", &number.0[..4], &number.0[number.0.len() - 2..]),
            Self::Webhook(url) | Self::Chat(url) => {
                format!("{}://{}/***", url.0.scheme(), url.0.host_str().unwrap_or_default())
            }
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(address) => address.fmt(f),
            Self::Sms(number) => number.fmt(f),
            Self::Webhook(url) | Self::Chat(url) => url.fmt(f),
        }
    }
}
