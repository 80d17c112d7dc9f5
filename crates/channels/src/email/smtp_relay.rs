//! Settings that were checked, made ready for use.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::endpoint::EmailAddress;
use domain::this_machine::is_written_here;
use rustls::pki_types::ServerName;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::settings::{Credentials, InvalidSettings, SmtpAuth, SmtpSettings, TlsMode};
use super::stage_error::{Cause, Stage, StageError};
use super::token::Tokens;
use crate::tls;

/// A relay that can be connected to.
pub(super) struct SmtpRelay {
    pub(super) settings: SmtpSettings,
    pub(super) security: Security,
    /// Where the account authenticates by tokens.
    pub(super) tokens: Option<Tokens>,
    /// Whether it does as it says where it offers to take commands ahead.
    pub(super) pipelining: PipeliningTrust,
    /// How many connections were begun: each with the next of the relay's addresses.
    pub(super) connections: AtomicUsize,
}

/// How long a relay that lost its step over commands sent ahead is spoken to a command at a time. It may have lost only its
/// line, which should not slow it down for ever; if not, the next mail that waits in vain is an hour away.
const PIPELINING_DISTRUST: Duration = Duration::from_hours(1);

/// Whether a relay's offer of pipelining is believed.
#[derive(Default)]
pub(super) struct PipeliningTrust {
    lost: Mutex<Option<Instant>>,
}

impl PipeliningTrust {
    /// Whether it is believed now.
    pub(super) fn is_trusted(&self) -> bool {
        let lost = *self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.is_none_or(|since| since.elapsed() >= PIPELINING_DISTRUST)
    }

    /// Believes it no more for a while.
    pub(super) fn distrust(&self) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// How its connections are encrypted.
pub(super) enum Security {
    Plain,
    StartTls(TlsConnector, ServerName<'static>),
    Implicit(TlsConnector, ServerName<'static>),
}

impl SmtpRelay {
    /// Checks the settings together.
    pub(super) fn new(settings: SmtpSettings) -> Result<Self, InvalidSettings> {
        let SmtpSettings { host, credentials, hello_name, timeout, rules, tls, .. } = &settings;
        let invalid = |setting, message: &str| Err(InvalidSettings::new(setting, message));
        if url::Host::parse(host).is_err() && host.parse::<std::net::IpAddr>().is_err() {
            return invalid("host", "host must be a host name or an IP address");
        }
        let visible = |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !hello_name.as_ref().is_none_or(visible) {
            return invalid("hello_name", "hello_name must be a host name");
        }
        if credentials.is_some() && *tls == TlsMode::None && !is_written_here(host) {
            return invalid(
                "tls",
                "tls must be implicit or starttls when a password goes to another machine",
            );
        }
        if !settings.knows(settings.from.address().domain()) {
            return invalid(
                "from",
                "from must have a full domain, such as orders@example.com: one without a dot is known to a relay on this \
                 machine only (host localhost)",
            );
        }
        if *timeout == Duration::ZERO {
            return invalid("timeout", "timeout must be longer than nothing");
        }
        if rules.concurrency.channel == 0 || rules.concurrency.endpoint == 0 {
            return invalid("concurrency", "concurrency must be at least 1");
        }
        let security = security(&settings)?;
        let tokens = match &settings.credentials {
            Some(Credentials { user, auth: SmtpAuth::Token(token) }) => {
                // It stands between control characters.
                if user.contains(char::is_control) {
                    return invalid("username", "username must be free of control characters");
                }
                Some(Tokens::new(token.clone(), *timeout)?)
            }
            _ => None,
        };
        let (pipelining, connections) = Default::default();
        Ok(Self { settings, security, tokens, pipelining, connections })
    }

    /// Refuses a recipient whom the relay would take for another: on its own machine, and not on this one.
    pub(super) fn require_known(&self, recipient: &EmailAddress) -> Result<(), StageError> {
        if self.settings.knows(recipient.domain()) {
            return Ok(());
        }
        let why = "a domain without a dot is known to a relay on this machine only";
        Err(StageError { stage: Stage::Recipient, cause: Cause::Unwritable(why.to_owned()) })
    }
}

fn security(settings: &SmtpSettings) -> Result<Security, InvalidSettings> {
    let bad_ca = |why: String| InvalidSettings::new("ca", format!("ca cannot be used: {why}"));
    let bad_host = |why: String| InvalidSettings::new("host", format!("host cannot be used with TLS: {why}"));
    // Read even where unused, so that a broken file is named at start and not when TLS is turned on.
    let config = tls::client_config(settings.ca.as_deref()).map_err(bad_ca)?;
    let connector = TlsConnector::from(Arc::new(config));
    let name = || ServerName::try_from(settings.host.clone()).map_err(|error| bad_host(error.to_string()));
    Ok(match settings.tls {
        TlsMode::None => Security::Plain,
        TlsMode::Implicit => Security::Implicit(connector, name()?),
        TlsMode::StartTls => Security::StartTls(connector, name()?),
    })
}
