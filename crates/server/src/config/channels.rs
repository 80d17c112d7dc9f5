//! The settings of the channels.

mod chat;
mod login;
mod rules;
mod sms;

use std::net::Ipv6Addr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use channels::email::{Sender, SmtpSettings, TlsMode};
use channels::http::{AllowedHost, InvalidHost};
use channels::webhook::WebhookSettings;
use domain::delivery::UnknownOutcomePolicy;

pub(super) use chat::chat;
pub(crate) use sms::SmsProvider;
pub(super) use sms::sms;

use super::reading::{Reading, list, number, words};
use login::credentials;
use rules::Rules;

/// How long a relay may take for one step. RFC 5321, 4.5.3.2, would have minutes; a relay that takes longer than this
/// for a small mail is better tried again.
const SMTP_TIMEOUT: u64 = 60;
/// What may be chosen instead, in seconds.
const SMTP_TIMEOUTS: RangeInclusive<u64> = 1..=600;
/// How long a receiver may take to answer. Standard Webhooks 1.0 advises 15 to 30 s.
const WEBHOOK_TIMEOUT: u64 = 20;
/// What every receiver but a relay may be given instead, in seconds.
const TIMEOUTS: RangeInclusive<u64> = 1..=120;
/// How many calls to one receiver may be chosen.
const ENDPOINT_CONCURRENCY: RangeInclusive<usize> = 1..=1_000;

const SMTP_RULES: Rules = Rules {
    concurrency: ("smtp.concurrency", 4, 100),
    max_per_second: "smtp.max_per_second",
    on_unknown: ("smtp.on_unknown", UnknownOutcomePolicy::Retry),
};
const WEBHOOK_RULES: Rules = Rules {
    concurrency: ("webhook.concurrency", 64, 1_000),
    max_per_second: "webhook.max_per_second",
    on_unknown: ("webhook.on_unknown", UnknownOutcomePolicy::Retry),
};

/// The mail relay; none unless `smtp.host` is set.
pub(super) fn email(reading: &mut Reading) -> Option<SmtpSettings> {
    if !reading.is_written("smtp.host") {
        if reading.is_written("smtp.from") {
            reading.mistake("smtp.host", "is missing: without it mail is kept in the sandbox inbox");
        }
        return None;
    }
    let host = reading.optional("smtp.host", relay_host);
    let tls = reading.or("smtp.tls", TlsMode::StartTls, tls_mode);
    let default_port = match tls {
        TlsMode::Implicit => 465,
        TlsMode::StartTls => 587,
        TlsMode::None => 25,
    };
    let port = reading.or("smtp.port", default_port, number(1..=65_535));
    let credentials = credentials(reading);
    let sender = |text: &str| Sender::parse(text).map_err(|error| error.message);
    let from = reading.required("smtp.from", "mails need a sender such as Shop <orders@example.com>", sender);
    let hello_name = reading.optional("smtp.hello_name", words);
    let ca = reading.optional("smtp.ca_file", pem_file);
    let timeout =
        Duration::from_secs(reading.or("smtp.timeout_seconds", SMTP_TIMEOUT, number(SMTP_TIMEOUTS)));
    let rules = SMTP_RULES.read(reading);
    Some(SmtpSettings { host: host?, port, tls, credentials, from: from?, hello_name, ca, timeout, rules })
}

/// How webhooks are called.
pub(super) fn webhook(reading: &mut Reading) -> WebhookSettings {
    let allowed_hosts = reading.or("webhook.allowed_hosts", Vec::new(), allowed_hosts);
    let ca = reading.optional("webhook.ca_file", pem_file);
    let timeout =
        Duration::from_secs(reading.or("webhook.timeout_seconds", WEBHOOK_TIMEOUT, number(TIMEOUTS)));
    let mut rules = WEBHOOK_RULES.read(reading);
    rules.concurrency.endpoint = reading.or("webhook.endpoint_concurrency", 1, number(ENDPOINT_CONCURRENCY));
    WebhookSettings { allowed_hosts, ca, timeout, rules }
}

fn allowed_hosts(text: &str) -> Result<Vec<AllowedHost>, String> {
    list(text).map(|entry| entry.parse().map_err(|error: InvalidHost| error.to_string())).collect()
}

/// A host's name or address alone: what people write beside it has settings of its own.
fn relay_host(text: &str) -> Result<String, String> {
    let host = words(text)?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&host);
    if bare.parse::<Ipv6Addr>().is_ok() {
        return Ok(bare.to_owned());
    }
    if host.contains("://") {
        return Err(
            "must be a host's name or address alone, such as smtp.example.com, without smtp://".to_owned()
        );
    }
    if host.contains(':') {
        let why = "must be without the port, which is smtp.port (ORDERBELL_SMTP_PORT)";
        return Err(why.to_owned());
    }
    Ok(host)
}

fn tls_mode(text: &str) -> Result<TlsMode, String> {
    match text {
        "starttls" => Ok(TlsMode::StartTls),
        "implicit" => Ok(TlsMode::Implicit),
        "none" => Ok(TlsMode::None),
        _ => Err("must be starttls, implicit or none".to_owned()),
    }
}

fn pem_file(text: &str) -> Result<Vec<u8>, String> {
    std::fs::read(PathBuf::from(text)).map_err(|error| format!("{text} cannot be read: {error}"))
}
