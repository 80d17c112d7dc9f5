//! The settings of the channels.

mod sms;

use std::net::Ipv6Addr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{ChannelRules, Concurrency};
use channels::Secret;
use channels::chat::ChatSettings;
use channels::email::{Credentials, Sender, SmtpAuth, SmtpSettings, TlsMode, TokenSettings};
use channels::http::{AllowedHost, InvalidHost};
use channels::webhook::WebhookSettings;
use domain::attributes::MAX_RATE;
use domain::delivery::UnknownOutcomePolicy;
use domain::shop::Shop;
use domain::this_machine::is_written_here;

pub(crate) use sms::SmsProvider;
pub(super) use sms::sms;

use super::reading::{Reading, list, number, secret, words};

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

/// How long a chat may take to answer.
const CHAT_TIMEOUT: u64 = 20;
/// The messages a second that can be chosen: the same for a channel as for a subscription.
const PER_SECOND: RangeInclusive<u32> = 1..=MAX_RATE;
/// The settings of a token, which need `smtp.token_url`.
const TOKEN: [&str; 4] = ["smtp.client_id", "smtp.client_secret", "smtp.scope", "smtp.refresh_token"];

/// So many messages to one webhook or chat may come once more after a crash: their attempts are recorded together.
const ATTEMPTS_PER_BATCH: usize = 16;

/// Who reads what a channel brings. Programs can tell a message that comes once more by its id.
enum Readers {
    People,
    Programs,
}

/// The settings of one channel's rules, with their defaults.
struct Rules {
    /// The setting, its default and its maximum.
    concurrency: (&'static str, usize, usize),
    readers: Readers,
    /// The setting; by default there is no limit.
    max_per_second: &'static str,
    /// The setting and its default.
    on_unknown: (&'static str, UnknownOutcomePolicy),
}

/// How many mails a relay on this machine is handed at once: it only queues them, and strangers do not share it. Exim takes
/// 20 sessions in all by default, Postfix 50 of one client.
const OWN_RELAY_CONCURRENCY: usize = 16;
const SMTP_RULES: Rules = Rules {
    // Providers let an account have few sessions, Microsoft 365 three: one more is refused, and that pauses the channel.
    concurrency: ("smtp.concurrency", 3, 100),
    readers: Readers::People,
    max_per_second: "smtp.max_per_second",
    on_unknown: ("smtp.on_unknown", UnknownOutcomePolicy::Retry),
};
const WEBHOOK_RULES: Rules = Rules {
    concurrency: ("webhook.concurrency", 64, 1_000),
    readers: Readers::Programs,
    max_per_second: "webhook.max_per_second",
    on_unknown: ("webhook.on_unknown", UnknownOutcomePolicy::Retry),
};
const CHAT_RULES: Rules = Rules {
    concurrency: ("chat.concurrency", 16, 1_000),
    readers: Readers::Programs,
    max_per_second: "chat.max_per_second",
    on_unknown: ("chat.on_unknown", UnknownOutcomePolicy::Retry),
};

/// The mail relay; none unless `smtp.host` is set.
pub(super) fn email(reading: &mut Reading, shop: &Arc<Shop>) -> Option<SmtpSettings> {
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
    let reply_to = reading.optional("smtp.reply_to", sender);
    let hello_name = reading.optional("smtp.hello_name", words);
    let ca = reading.optional("smtp.ca_file", pem_file);
    let timeout =
        Duration::from_secs(reading.or("smtp.timeout_seconds", SMTP_TIMEOUT, number(SMTP_TIMEOUTS)));
    let rules = smtp_rules(host.as_deref()).read(reading);
    Some(SmtpSettings {
        host: host?,
        port,
        tls,
        credentials,
        from: from?,
        reply_to,
        shop: Arc::clone(shop),
        hello_name,
        ca,
        timeout,
        rules,
    })
}

fn smtp_rules(host: Option<&str>) -> Rules {
    let (setting, default, most) = SMTP_RULES.concurrency;
    let default = if host.is_some_and(is_written_here) { OWN_RELAY_CONCURRENCY } else { default };
    Rules { concurrency: (setting, default, most), ..SMTP_RULES }
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

/// How chats are posted to; in a private network, they stand among the hosts that webhooks may call, and are trusted by the
/// same certificates.
pub(super) fn chat(reading: &mut Reading, webhook: &WebhookSettings) -> ChatSettings {
    let (allowed_hosts, ca) = (webhook.allowed_hosts.clone(), webhook.ca.clone());
    let timeout = Duration::from_secs(reading.or("chat.timeout_seconds", CHAT_TIMEOUT, number(TIMEOUTS)));
    ChatSettings { allowed_hosts, ca, timeout, rules: CHAT_RULES.read(reading) }
}

/// The account, with its password or with where its tokens come from; none where neither is set.
fn credentials(reading: &mut Reading) -> Option<Credentials> {
    let by_token = reading.is_written("smtp.token_url");
    let by_password = reading.is_written("smtp.password");
    if by_token && by_password {
        reading.mistake("smtp.password", "must not be set where smtp.token_url is: it is one or the other");
    }
    if !by_token {
        for setting in TOKEN.into_iter().filter(|setting| reading.is_written(setting)).collect::<Vec<_>>() {
            reading.mistake(setting, "needs smtp.token_url, where tokens come from");
        }
    }
    match (reading.is_written("smtp.username"), by_password || by_token) {
        (true, false) => reading.mistake("smtp.password", "is missing: smtp.username is set"),
        (false, true) if by_token => {
            reading.mistake("smtp.username", "is missing: it names the mailbox that smtp.token_url is for");
        }
        (false, true) => reading.mistake("smtp.username", "is missing: smtp.password is set"),
        (true, true) | (false, false) => {}
    }
    // Blanks around these may be part of them.
    let user = reading.optional("smtp.username", |text| words(text).map(|_| text.to_owned()));
    let password =
        reading.optional("smtp.password", |text| words(text).map(|_| Secret::new(text.to_owned())));
    let auth = if by_token { token(reading).map(SmtpAuth::Token) } else { password.map(SmtpAuth::Password) };
    Some(Credentials { user: user?, auth: auth? })
}

fn token(reading: &mut Reading) -> Option<TokenSettings> {
    let url = reading.optional("smtp.token_url", |text| {
        text.parse()
            .map_err(|_| "must be an https URL such as https://login.example/oauth2/v2.0/token".to_owned())
    });
    let client_id = reading.required("smtp.client_id", "the token server must know who asks", words);
    let client_secret = reading.optional("smtp.client_secret", secret);
    let scope = reading.optional("smtp.scope", words);
    let refresh_token = reading.optional("smtp.refresh_token", secret);
    if !reading.is_written("smtp.client_secret") && !reading.is_written("smtp.refresh_token") {
        reading.mistake("smtp.client_secret", "is missing: tokens take it, or smtp.refresh_token, or both");
    }
    Some(TokenSettings { url: url?, client_id: client_id?, client_secret, scope, refresh_token })
}

impl Rules {
    /// Reads them. One message at a time goes to one endpoint, so that they arrive in the order of their orders.
    fn read(&self, reading: &mut Reading) -> ChannelRules {
        let (setting, default, most) = self.concurrency;
        let channel = reading.or(setting, default, number(1..=most));
        let max_per_second = reading.optional(self.max_per_second, number(PER_SECOND));
        let (setting, default) = self.on_unknown;
        ChannelRules {
            concurrency: Concurrency { channel, endpoint: 1 },
            batch: match self.readers {
                Readers::People => 1,
                Readers::Programs => ATTEMPTS_PER_BATCH,
            },
            max_per_second: max_per_second.and_then(std::num::NonZeroU32::new),
            on_unknown: reading.or(setting, default, on_unknown),
        }
    }
}

fn on_unknown(text: &str) -> Result<UnknownOutcomePolicy, String> {
    match text {
        "retry" => Ok(UnknownOutcomePolicy::Retry),
        "hold" => Ok(UnknownOutcomePolicy::Hold),
        _ => Err("must be retry or hold".to_owned()),
    }
}
