//! Where a subscriber is reached: a mail address, a phone number or a URL, each checked and in one normal form when it is
//! given. What was stored is taken back as it stands: rules change, subscribers stay.

use std::fmt;
use std::ops::RangeInclusive;

use email_address::{EmailAddress as Parsed, Options};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::Invalid;
use crate::visible::is_invisible;

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

/// The URL of a webhook's receiver, or of a chat's incoming webhook, as text; parsed once, since it is called often.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebhookUrl {
    text: String,
    url: Option<Url>,
}

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

/// Reads a customer's mail address without a display name, at a domain's full name, at most 254 bytes long. It is kept in
/// the spelling it came in, the domain lower-cased: nobody compares it with another.
pub(crate) fn mail_address(field: &str, text: &str) -> Result<Parsed, Invalid> {
    parsed(field, text.trim(), Options::default().with_required_tld())
}

fn parsed(field: &str, text: &str, options: Options) -> Result<Parsed, Invalid> {
    let options = options.without_display_text().without_domain_literal();
    match Parsed::parse_with_options(text, options) {
        Ok(address) if fits(address.as_str()) => Ok(address),
        _ => Err(no_address(field, text)),
    }
}

fn fits(address: &str) -> bool {
    !address.contains(char::is_control) && address.len() <= crate::order::limits::EMAIL
}

fn no_address(field: &str, text: &str) -> Invalid {
    let message = if has_stray_dots(text) {
        format!(
            "{field} has a dot at an end of, or dots in a row in, what stands before the @: put that into quotes, \
             as in \"jo..e.\"@docomo.ne.jp"
        )
    } else {
        format!("{field} must be a mail address")
    };
    Invalid::new("invalid_email", field, message)
}

/// Old addresses of Japanese carriers have such dots, which RFC 5321 allows between quotes only.
fn has_stray_dots(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local_part, _)| {
        !local_part.is_empty() && !local_part.starts_with('"') && local_part.split('.').any(str::is_empty)
    })
}

/// The address with its domain as DNS asks for it, and no needless quotes; a URL's `%` has no meaning in a domain's name.
fn in_one_form(address: &str) -> Option<String> {
    let (local_part, domain) = address.rsplit_once('@').filter(|(_, domain)| !domain.contains('%'))?;
    match url::Host::parse(domain) {
        Ok(url::Host::Domain(domain)) => Some(format!("{}@{domain}", least_quoted(local_part))),
        _ => None,
    }
}

/// What stands before the `@`, quoted no more than it must be (RFC 5321, 4.1.2).
fn least_quoted(local_part: &str) -> String {
    match meant(local_part) {
        Some(meant) if meant.split('.').all(is_atom) => meant,
        Some(meant) => format!("\"{}\"", meant.replace('\\', "\\\\").replace('"', "\\\"")),
        None => local_part.to_owned(),
    }
}

/// What a quoted text means; `None` where it is none.
fn meant(text: &str) -> Option<String> {
    let mut chars = text.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut meant = String::new();
    while let Some(c) = chars.next() {
        meant.push(match c {
            '\\' => chars.next()?,
            '"' => return None,
            c => c,
        });
    }
    Some(meant)
}

/// RFC 5322, 3.2.3, and RFC 6531, 3.3.
fn is_atom(text: &str) -> bool {
    let is_part = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    !text.is_empty() && text.chars().all(is_part)
}

impl EmailAddress {
    /// Reads an address without a display name, at a domain's name, at most 254 bytes long, of which a person sees each
    /// character. One mailbox has one form: the domain is written in A-labels and lower case, and what stands before the
    /// `@` is quoted only where it must be. The domain may be one machine's own, such as `localhost`: see
    /// [`has_full_domain`](Self::has_full_domain).
    ///
    /// # Errors
    /// `invalid_email`, naming `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let Some(text) = in_one_form(text.trim()) else { return Err(no_address(field, text.trim())) };
        let address = parsed(field, &text, Options::default().with_no_minimum_sub_domains())?;
        let hidden = address.local_part().chars().any(|c| c != ' ' && is_invisible(c));
        if hidden { Err(no_address(field, &text)) } else { Ok(Self(text)) }
    }

    /// Whether the domain has a dot. Without one, only a relay on the machine that it means knows it.
    #[must_use]
    pub fn has_full_domain(&self) -> bool {
        self.domain().contains('.')
    }

    /// The part after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    fn masked(&self) -> Option<String> {
        let (local_part, domain) = self.0.rsplit_once('@')?;
        Some(format!("{}***@{domain}", local_part.chars().next()?))
    }
}

/// Country codes of two digits; 1 and 7 stand alone, all others have three (ITU-T E.164).
const TWO_DIGITS: [&str; 44] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48",
    "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81",
    "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];
/// Country codes behind which a subscriber's number can begin with 0, as Italy's do (the patterns of fixed and mobile
/// numbers in libphonenumber 9.0). Behind all others a 0 is the trunk prefix, which is dialled within the country only.
const KEEPS_ZERO: [&str; 10] = ["39", "225", "226", "229", "241", "242", "250", "378", "881", "992"];
/// Where something else than 0 is dialled before a number within the country: the country code, what is dialled, and how
/// many digits a number has without it (libphonenumber 9.0).
const OTHER_TRUNK_PREFIXES: [(&str, &str, usize); 5] =
    [("1", "1", 10), ("7", "8", 10), ("370", "8", 8), ("375", "80", 9), ("993", "8", 8)];

/// The country code that digits begin with.
fn country_code(digits: &str) -> &str {
    let length = match digits.get(..2) {
        _ if digits.starts_with(['1', '7']) => 1,
        Some(two) if TWO_DIGITS.contains(&two) => 2,
        _ => 3,
    };
    digits.get(..length).unwrap_or(digits)
}

/// How many digits a phone number has, with its country code (ITU-T E.164 has the most).
const PHONE_DIGITS: RangeInclusive<usize> = 7..=15;

/// Reads `+` and 7 to 15 digits, the first not 0 (ITU-T E.164); spaces, dots, hyphens and brackets are dropped.
pub(crate) fn e164(field: &str, text: &str) -> Result<String, Invalid> {
    let number: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let digits = number.strip_prefix('+').unwrap_or_default();
    let valid = PHONE_DIGITS.contains(&digits.len())
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && !digits.starts_with('0');
    let message = format!("{field} must be a phone number in E.164 form, such as +4915112345678");
    if valid { Ok(number) } else { Err(Invalid::new("invalid_phone", field, message)) }
}

impl PhoneNumber {
    /// Reads `+` and 7 to 15 digits, the first not 0 (ITU-T E.164); spaces, dots, hyphens and brackets are dropped, and
    /// with them a trunk zero in brackets where no number of the country begins with 0. Any other trunk prefix is refused.
    ///
    /// # Errors
    /// `invalid_phone`, naming `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let trunk_prefix = |prefix: &str, code: &str| {
            let message = format!(
                "{field} has {prefix} behind the country code +{code}: write the number as it is dialled from abroad"
            );
            Invalid::new("invalid_phone", field, message)
        };
        let bracketed = text.split_once("(0)");
        let number = match bracketed {
            Some((before, after)) => e164(field, &format!("{before}{after}")),
            None => e164(field, text),
        }?;
        let code = country_code(&number[1..]);
        let keeps_zero = KEEPS_ZERO.contains(&code);
        let behind = &number[1 + code.len()..];
        let is_in_the_way = behind.starts_with('0') && !keeps_zero;
        let is_no_trunk_zero = |before: &str| keeps_zero || before.trim().strip_prefix('+') != Some(code);
        if is_in_the_way || bracketed.is_some_and(|(before, _)| is_no_trunk_zero(before)) {
            return Err(trunk_prefix("0", code));
        }
        let other = OTHER_TRUNK_PREFIXES.iter().find(|(country, prefix, length)| {
            *country == code && behind.starts_with(prefix) && behind.len() > *length
        });
        match other {
            Some((_, prefix, _)) => Err(trunk_prefix(prefix, code)),
            None => Ok(Self(number)),
        }
    }

    fn masked(&self) -> Option<String> {
        let hidden = self.0.len().checked_sub(6).filter(|hidden| *hidden > 1)?;
        Some(format!("{}***{}", self.0.get(..4)?, self.0.get(4 + hidden..)?))
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
        Ok(Self { text: url.as_str().to_owned(), url: Some(url) })
    }

    fn stored(text: String) -> Self {
        let url = Url::parse(&text).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        Self { text, url }
    }

    /// The URL to call; `None` where its text, which was stored once, is none that can be called today.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    fn masked(&self) -> Option<String> {
        let url = self.url()?;
        Some(format!("{}://{}/***", url.scheme(), url.host_str()?))
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
        f.write_str(&self.text)
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

    /// Takes an endpoint back from where it was stored, whatever its text is.
    #[must_use]
    pub fn stored(protocol: Protocol, text: String) -> Self {
        match protocol {
            Protocol::Email => Self::Email(EmailAddress(text)),
            Protocol::Sms => Self::Sms(PhoneNumber(text)),
            Protocol::Webhook => Self::Webhook(WebhookUrl::stored(text)),
            Protocol::Chat => Self::Chat(WebhookUrl::stored(text)),
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

    /// The endpoint as a log may show it: `j***@example.com`, `+491***78`, `https://example.com/***`. What has no such form
    /// is hidden whole: `***`.
    #[must_use]
    pub fn masked(&self) -> String {
        let shown = match self {
            Self::Email(address) => address.masked(),
            Self::Sms(number) => number.masked(),
            Self::Webhook(url) | Self::Chat(url) => url.masked(),
        };
        shown.unwrap_or_else(|| "***".to_owned())
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
