//! The program's settings: defaults < `orderbell.toml` < `ORDERBELL_*` < flags, checked as a whole.

mod channels;
mod connections;
mod layers;
mod local;
mod log_filter;
mod rate_limits;
mod reading;
mod toml_mistake;

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use channels::SmsProvider;
use channels::{chat, email, sms, webhook};
use connections::Connections;
use domain::language::Language;
use domain::order::idempotency::{DEFAULT_LIFETIME, LIFETIME_HOURS};
use domain::shop::{Color, Logo, MAX_LOGO, Shop, imprint, shop_name};
use domain::time_zone::{TimeZone, TimeZoneName};
pub(crate) use layers::Layers;
pub(crate) use local::Local;
use log_filter::log_filter;
use rate_limits::order_limits;
use reading::{Reading, list, no_control_characters};
use tracing_subscriber::EnvFilter;
use url::Url;

/// The shortest admin key that can be chosen, in bytes.
const MIN_KEY_BYTES: usize = 20;

/// What the program is to be, once every setting has been found right.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// Where links in messages lead; by default, where the program listens. Outside loopback it is always set.
    pub(crate) public_url: Option<Url>,
    /// Who may place orders.
    pub(crate) order_auth: web::OrderAuth,
    /// Where orders are placed besides `/create-order`.
    pub(crate) order_path_aliases: Vec<web::OrderPathAlias>,
    pub(crate) intake_handling: web::Handling,
    /// How many orders may come.
    pub(crate) order_limits: web::OrderLimits,
    /// The admin key, if it is not the one in the data folder.
    pub(crate) admin_key: Option<String>,
    /// Opens the metrics, as the admin key does.
    pub(crate) metrics_key: Option<web::KeyHash>,
    /// Which origins' pages may place orders.
    pub(crate) cors_allow_origins: Vec<String>,
    /// By which names, and from which pages, the program is reached.
    pub(crate) host_policy: web::HostPolicy,
    /// How long an idempotency key lives.
    pub(crate) idempotency_lifetime: Duration,
    /// Whom it works for.
    pub(crate) shop: Arc<Shop>,
    /// How many connections there may be.
    pub(crate) connections: Connections,
    /// What is logged.
    pub(crate) log: EnvFilter,
    /// How.
    pub(crate) log_format: LogFormat,
    /// The mail relay, if there is one.
    pub(crate) smtp: Option<::channels::email::SmtpSettings>,
    /// Who sends text messages, if anyone.
    pub(crate) sms: Option<SmsProvider>,
    /// How webhooks are called.
    pub(crate) webhook: ::channels::webhook::WebhookSettings,
    /// How chats are posted to.
    pub(crate) chat: ::channels::chat::ChatSettings,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text for a terminal, JSON otherwise.
    Auto,
    /// Text.
    Text,
    /// A JSON object a line.
    Json,
}

impl Config {
    /// Reads every setting.
    ///
    /// # Errors
    /// All the mistakes there are, each naming its setting and where it was made.
    pub(crate) fn read(layers: Layers) -> Result<Self, Vec<String>> {
        let mut reading = Reading::new(layers);
        let webhook = webhook(&mut reading);
        let Local { listen, data, admin_key } = Local::of(&mut reading);
        let connections = Connections::of(&mut reading);
        let shop = Arc::new(shop(&mut reading));
        let public_url = public_url(&mut reading, listen);
        let order_auth = order_auth(&mut reading, listen);
        let pages = reading.optional("cors_allow_origins", web::Settings::parse_origins);
        let config = Self {
            listen,
            data,
            host_policy: host_policy(&mut reading, listen, public_url.as_ref(), pages.clone()),
            public_url,
            order_limits: order_limits(&mut reading, listen, &order_auth, connections.proxies()),
            order_auth,
            order_path_aliases: reading.or("intake_paths", Vec::new(), web::OrderPathAlias::parse_list),
            intake_handling: reading.or("intake_handling", web::Handling::default(), web::Handling::parse),
            admin_key,
            metrics_key: reading.optional("metrics_key", key_hash),
            cors_allow_origins: pages.unwrap_or_else(|| vec!["*".to_owned()]),
            idempotency_lifetime: reading.or("idempotency_lifetime_hours", DEFAULT_LIFETIME, hours),
            smtp: email(&mut reading, &shop),
            shop,
            connections,
            log: reading.or("log", EnvFilter::new("info"), log_filter),
            log_format: reading.or("log_format", LogFormat::Auto, log_format),
            sms: sms(&mut reading),
            chat: chat(&mut reading, &webhook),
            webhook,
        };
        reading.name_the_unused();
        reading.finish(config)
    }

    /// How many calls to the outside may be under way at once.
    pub(crate) fn concurrency(&self) -> usize {
        let smtp = self.smtp.as_ref().map(|smtp| smtp.rules.concurrency.channel);
        let sms = self.sms.as_ref().map(|provider| match provider {
            SmsProvider::Twilio(twilio) => twilio.sms.rules.concurrency.channel,
            SmsProvider::Sns(sns) => sns.sms.rules.concurrency.channel,
        });
        let web = self.webhook.rules.concurrency.channel + self.chat.rules.concurrency.channel;
        web + smtp.unwrap_or_default() + sms.unwrap_or_default()
    }

    /// Whether only this machine can reach the program.
    pub(crate) fn is_loopback(&self) -> bool {
        self.listen.ip().is_loopback()
    }
}

/// Whom it works for.
fn shop(reading: &mut Reading) -> Shop {
    Shop {
        name: reading.optional("shop.name", |text| shop_name(text).map_err(|error| error.message)),
        imprint: reading.optional("shop.imprint", |text| imprint(text).map_err(|error| error.message)),
        logo: reading.optional("shop.logo", |text| logo(text).map(Arc::new)),
        color: reading.or("shop.color", Shop::default().color, |text| {
            Color::parse(text).map_err(|error| error.message)
        }),
        language: reading.or("language", Language::default(), |tag| {
            Language::of_tag(tag).ok_or_else(|| format!("must be {}", Language::CHOICES))
        }),
        time_zone: reading.or("time_zone", TimeZone::UTC, |name| {
            TimeZone::get(name).map_err(|_| format!("must be {}", TimeZoneName::CHOICES))
        }),
    }
}

/// The picture in a file. No more is read than it may have.
fn logo(path: &str) -> Result<Logo, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_LOGO as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("{path} cannot be read: {error}"))?;
    Logo::parse(bytes).map_err(|error| format!("{path} {}", error.message))
}

/// Who may place orders. Outside loopback there is no default: it must be chosen.
fn order_auth(reading: &mut Reading, listen: SocketAddr) -> web::OrderAuth {
    let keys = reading.or("intake_keys", Vec::new(), web::ClientKey::parse_list);
    let chosen = reading.optional("intake", |text| match text {
        "open" => Ok(false),
        "key" => Ok(true),
        _ => Err("must be open or key".to_owned()),
    });
    match chosen {
        None if !listen.ip().is_loopback() => {
            reading.mistake(
                "intake",
                "must be chosen when listening outside loopback: open (anyone may place orders) or key",
            );
            web::OrderAuth::Keys(keys)
        }
        Some(true) => {
            if !reading.is_written("intake_keys") || keys.is_empty() && !reading.is_mistaken("intake_keys") {
                let why = "must hold a key, since intake is key: `orderbell key new NAME` makes one";
                reading.mistake("intake_keys", why);
            }
            web::OrderAuth::Keys(keys)
        }
        None if reading.is_written("intake_keys") && !reading.is_mistaken("intake") => {
            reading.mistake(
                "intake",
                "must be chosen where there are intake_keys: key, or open to ask for none",
            );
            web::OrderAuth::Keys(keys)
        }
        Some(false) | None => web::OrderAuth::Open,
    }
}

/// Where links lead. Outside loopback there is no default: an address to listen at is none that a subscriber can open.
fn public_url(reading: &mut Reading, listen: SocketAddr) -> Option<Url> {
    if !listen.ip().is_loopback() && !reading.is_written("public_url") {
        reading.mistake(
            "public_url",
            "must be set when listening outside loopback: links in messages lead there, such as https://orders.example.com",
        );
    }
    reading.optional("public_url", http_url)
}

/// Who is let in. On loopback a name or a page of elsewhere is let in where the operator wrote that it may be.
fn host_policy(
    reading: &mut Reading,
    listen: SocketAddr,
    public_url: Option<&Url>,
    pages: Option<Vec<String>>,
) -> web::HostPolicy {
    let mut hosts = reading.or("allowed_hosts", Vec::new(), |text| {
        list(text).map(|entry| entry.parse::<web::HostName>().map_err(str::to_owned)).collect()
    });
    if !listen.ip().is_loopback() {
        return web::HostPolicy::CommonPorts;
    }
    hosts.extend(public_url.and_then(|url| url.host_str()?.parse::<web::HostName>().ok()));
    web::HostPolicy::Loopback { hosts, origins: pages.unwrap_or_default() }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an address and port such as 127.0.0.1:8080 or [::]:8080".to_owned())
}

fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or("must be an http or https URL such as https://orders.example.com")?;
    // Paths are put after it, and it is sent to every subscriber.
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must be without ? and #: links go on where it ends".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must be without user name and password: every subscriber is sent it".to_owned());
    }
    Ok(url)
}

fn key(text: &str) -> Result<String, String> {
    no_control_characters(text)?;
    // A header's value has no blanks around it.
    match text.trim() {
        key if key.len() >= MIN_KEY_BYTES => Ok(key.to_owned()),
        _ => Err(format!("must be at least {MIN_KEY_BYTES} characters long")),
    }
}

fn key_hash(text: &str) -> Result<web::KeyHash, String> {
    let wrong = "must be the 64 hexadecimal digits of a key's SHA-256, as `orderbell key new` prints them";
    web::KeyHash::parse(text.trim()).ok_or_else(|| wrong.to_owned())
}

fn hours(text: &str) -> Result<Duration, String> {
    let hours = text.parse().ok().filter(|hours| LIFETIME_HOURS.contains(hours));
    hours.map(Duration::from_hours).ok_or_else(|| {
        let (least, max) = (LIFETIME_HOURS.start(), LIFETIME_HOURS.end());
        format!("must be a whole number of hours from {least} to {max}")
    })
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "auto" => Ok(LogFormat::Auto),
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be auto, text or json".to_owned()),
    }
}

#[cfg(test)]
mod tests;
