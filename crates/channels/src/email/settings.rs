//! How mail reaches its relay.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use application::ports::ChannelRules;
use domain::shop::Shop;
use domain::this_machine::is_written_here;
use lettre::Address;
use lettre::message::Mailbox;
use url::Url;

use crate::Secret;

/// The relay, and how to speak to it. What does not fit together is found by [`Email::new`](super::Email::new).
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// The relay's name or IP address; its certificate must be valid for it.
    pub host: String,
    /// Its port: by custom 465 for [`TlsMode::Implicit`], 587 for [`TlsMode::StartTls`] (RFC 8314).
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: TlsMode,
    /// The account; without TLS it is only given to a relay on this machine.
    pub credentials: Option<Credentials>,
    /// Whom the mails come from.
    pub from: Sender,
    /// Whom an answer goes to where it goes to no customer; without it, to whom the mails come from.
    pub reply_to: Option<Sender>,
    /// Whose mails they are: its name, its imprint, and the color of its buttons.
    pub shop: Arc<Shop>,
    /// The name we greet with; without it the address literal of our end of the connection (RFC 5321, 4.1.3).
    pub hello_name: Option<String>,
    /// Certificates to trust besides Mozilla's roots and the system's, as PEM: authorities', or the relay's own.
    pub ca: Option<Vec<u8>>,
    /// The limit of each step. A relay that takes a message more slowly than this makes its fate unknown, and the
    /// message is repeated: RFC 5321, 4.5.3.2 advises minutes.
    pub timeout: Duration,
    /// How many mails are sent at once; as many idle connections are kept at most.
    pub rules: ChannelRules,
}

/// How the connection to the relay is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// From the first byte.
    Implicit,
    /// By STARTTLS, without which nothing is sent.
    #[default]
    StartTls,
    /// Not at all: for a relay on this machine or a trusted network.
    None,
}

/// The account at the relay.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user's name.
    pub user: String,
    /// How it authenticates.
    pub auth: SmtpAuth,
}

/// How an account authenticates.
#[derive(Debug, Clone)]
pub enum SmtpAuth {
    /// Its password: AUTH PLAIN or LOGIN.
    Password(Secret),
    /// A token of an OAuth 2.0 server: AUTH XOAUTH2, as Microsoft 365 and Google want it.
    Token(TokenSettings),
}

/// Where tokens come from (RFC 6749): for the program itself (client credentials), or with a refresh token for the user who
/// once agreed.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// The server's token endpoint: https, or on this machine.
    pub url: Url,
    /// Who we are there.
    pub client_id: String,
    /// Needed unless there is a refresh token.
    pub client_secret: Option<Secret>,
    /// What the token is for.
    pub scope: Option<String>,
    /// In whose name; without it in our own.
    pub refresh_token: Option<Secret>,
}

/// The mailbox that mails come from: an address whose local part is ASCII, and perhaps a display name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

/// What is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSettings {
    /// The setting at fault, by the name of its field.
    pub setting: &'static str,
    /// One sentence for a person.
    pub message: String,
}

impl SmtpSettings {
    /// Whether the relay can know that domain, or address literal: a name without a dot, such as `localhost`, only where it
    /// is on this machine.
    #[must_use]
    pub fn knows(&self, domain: &str) -> bool {
        domain.contains(['.', ':']) || is_written_here(&self.host)
    }
}

impl Sender {
    /// Reads `orders@example.com` or `Orderbell <orders@example.com>`.
    ///
    /// # Errors
    /// It is no mailbox, its local part is not ASCII, or its name holds control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidSettings> {
        let invalid = |why: &str| InvalidSettings::new("from", format!("from must be {why}"));
        if text.chars().any(char::is_control) {
            return Err(invalid("free of line breaks and control characters"));
        }
        let Mailbox { name, email } =
            text.trim().parse().map_err(|_| invalid("a mail address, or a name and <address>"))?;
        if !email.user().is_ascii() {
            return Err(invalid("an address that is ASCII before the @"));
        }
        let email =
            with_ascii_domain(email.user(), email.domain()).ok_or_else(|| invalid("a valid mail address"))?;
        Ok(Self(Mailbox { name, email }))
    }

    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.0
    }

    pub(super) fn address(&self) -> &Address {
        &self.0.email
    }
}

/// An address whose domain is in its ASCII form, as every relay understands it; `None` if it cannot be.
pub(super) fn with_ascii_domain(local_part: &str, domain: &str) -> Option<Address> {
    if domain.is_ascii() {
        return Address::new(local_part, domain).ok();
    }
    let domain = url::Host::parse(domain).ok()?;
    Address::new(local_part, domain.to_string()).ok()
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl InvalidSettings {
    pub(super) fn new(setting: &'static str, message: impl Into<String>) -> Self {
        Self { setting, message: message.into() }
    }
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidSettings {}
