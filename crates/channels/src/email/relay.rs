//! Settings that were checked, made ready for use.

use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::client::{Certificate, TlsParameters};
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::settings::{InvalidSettings, SmtpSettings, TlsMode};
use crate::tls;

/// A relay that can be connected to.
pub(super) struct Relay {
    pub(super) settings: SmtpSettings,
    pub(super) security: Security,
}

/// How its line is encrypted.
pub(super) enum Security {
    Plain,
    StartTls(TlsParameters),
    Implicit(TlsConnector, ServerName<'static>),
}

impl Relay {
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
        if credentials.is_some() && *tls == TlsMode::None && !is_this_machine(host) {
            return invalid(
                "tls",
                "tls must be implicit or starttls when a password goes to another machine",
            );
        }
        if *timeout == Duration::ZERO {
            return invalid("timeout", "timeout must be longer than nothing");
        }
        if rules.concurrency.channel == 0 || rules.concurrency.endpoint == 0 {
            return invalid("concurrency", "concurrency must be at least 1");
        }
        let security = security(&settings)?;
        Ok(Self { settings, security })
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn security(settings: &SmtpSettings) -> Result<Security, InvalidSettings> {
    let ca = settings.ca.as_deref();
    let bad_ca = |why: String| InvalidSettings::new("ca", format!("ca cannot be used: {why}"));
    let bad_host = |why: String| InvalidSettings::new("host", format!("host cannot be used with TLS: {why}"));
    // Read even where unused, so that a broken file is named at start and not when TLS is turned on.
    let config = tls::client_config(ca).map_err(bad_ca)?;
    let name = || ServerName::try_from(settings.host.clone()).map_err(|error| bad_host(error.to_string()));
    match settings.tls {
        TlsMode::None => Ok(Security::Plain),
        TlsMode::Implicit => Ok(Security::Implicit(TlsConnector::from(Arc::new(config)), name()?)),
        TlsMode::StartTls => {
            name()?;
            let mut parameters = TlsParameters::builder(settings.host.clone());
            if let Some(ca) = ca {
                let ca = Certificate::from_pem(ca).map_err(|error| bad_ca(error.to_string()))?;
                parameters = parameters.add_root_certificate(ca);
            }
            parameters.build().map(Security::StartTls).map_err(|error| bad_ca(error.to_string()))
        }
    }
}
