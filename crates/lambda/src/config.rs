//! What the function is to be: environment variables, checked as a whole.
//!
//! Those that the `orderbell` program knows as well have its names and its syntax.

use std::fmt;
use std::time::Duration;

use domain::language::Language;
use domain::order::idempotency::{DEFAULT_LIFETIME, LIFETIME_HOURS};
use domain::shop::Shop;
use domain::time_zone::{TimeZone, TimeZoneName};
use tracing_subscriber::filter::{LevelFilter, Targets};

/// What the function is to be, once every variable has been found right.
#[derive(Debug)]
pub(crate) struct Config {
    /// Its role.
    pub(crate) role: FunctionRole,
    /// The table of orders.
    pub(crate) table: aws::TableOptions,
    /// The topic where new orders are published.
    pub(crate) topic_arn: String,
    /// Whom it works for.
    pub(crate) shop: Shop,
    /// What is logged.
    pub(crate) log: Targets,
}

/// The roles that a function of the program can have, as `_HANDLER` names them.
#[derive(Debug)]
pub(crate) enum FunctionRole {
    /// Takes orders and answers management requests.
    Http(HttpConfig),
    /// Publishes the orders that the table's stream tells of.
    Stream,
    /// Publishes the orders that the stream left behind.
    Sweep,
}

/// What only the HTTP part needs to know.
#[derive(Debug)]
pub(crate) struct HttpConfig {
    /// Who may place orders.
    pub(crate) order_auth: web::OrderAuth,
    /// Where orders are placed besides `/create-order`.
    pub(crate) order_path_aliases: Vec<web::OrderPathAlias>,
    pub(crate) intake_handling: web::Handling,
    /// Opens management routes.
    pub(crate) admin_key: Option<web::KeyHash>,
    /// Which origins' pages may place orders.
    pub(crate) cors_allow_origins: Vec<String>,
    /// Where people reach the function.
    pub(crate) public_url: String,
    /// How long an idempotency key lives.
    pub(crate) idempotency_lifetime: Duration,
}

/// Every mistake there is, each naming its variable.
#[derive(Debug)]
pub(crate) struct Mistakes(Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Mistakes {}

impl Config {
    /// Reads the environment. A variable that is set to nothing counts as not set.
    ///
    /// # Errors
    /// A variable is missing or breaks a rule.
    pub(crate) fn read(environment: impl Fn(&str) -> Option<String>) -> Result<Self, Mistakes> {
        let mut reading = Reading { environment, mistakes: Vec::new() };
        let role = role(&mut reading);
        let name = reading.required("ORDERBELL_TABLE", "the table of orders", table_name);
        let key = reading.or("ORDERBELL_TABLE_KEY", aws::TableOptions::KEY.to_owned(), key_attribute);
        let topic_arn = reading.required("ORDERBELL_TOPIC_ARN", "the topic of new orders", topic_arn);
        let shop = shop(&mut reading);
        let log = log(&mut reading);
        match (role, name, topic_arn) {
            (Some(role), Some(name), Some(topic_arn)) if reading.mistakes.is_empty() => {
                Ok(Self { role, table: aws::TableOptions { name, key }, topic_arn, shop, log })
            }
            _ => Err(Mistakes(reading.mistakes)),
        }
    }
}

/// Variables being read while every mistake is collected.
struct Reading<E> {
    environment: E,
    mistakes: Vec<String>,
}

impl<E: Fn(&str) -> Option<String>> Reading<E> {
    /// The variable, if it is set and right.
    fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = (self.environment)(name).filter(|text| !text.is_empty())?;
        parse(&text).map_err(|rule| self.mistakes.push(format!("{name}: {rule}"))).ok()
    }

    /// The variable, or its default.
    fn or<T>(&mut self, name: &str, default: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        self.optional(name, parse).unwrap_or(default)
    }

    /// A variable that must be set to what it `is`.
    fn required<T>(
        &mut self,
        name: &str,
        is: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if (self.environment)(name).is_none_or(|text| text.is_empty()) {
            self.mistakes.push(format!("{name}: is missing: {is}"));
        }
        self.optional(name, parse)
    }
}

fn role<E: Fn(&str) -> Option<String>>(reading: &mut Reading<E>) -> Option<FunctionRole> {
    let handler = reading.required("_HANDLER", "http, stream or sweep", |text| match text {
        "http" | "stream" | "sweep" => Ok(text.to_owned()),
        _ => Err(format!("must be http, stream or sweep, not {text}")),
    })?;
    match handler.as_str() {
        "http" => http(reading).map(FunctionRole::Http),
        "stream" => Some(FunctionRole::Stream),
        _ => Some(FunctionRole::Sweep),
    }
}

fn http<E: Fn(&str) -> Option<String>>(reading: &mut Reading<E>) -> Option<HttpConfig> {
    let keys = reading.or("ORDERBELL_INTAKE_KEYS", Vec::new(), web::ClientKey::parse_list);
    let choice = "must be chosen: open (anyone may place orders) or key";
    let order_auth = reading.required("ORDERBELL_INTAKE", choice, |text| match text {
        "open" => Ok(web::OrderAuth::Open),
        "key" => Ok(web::OrderAuth::Keys(keys)),
        _ => Err("must be open or key".to_owned()),
    });
    let config = HttpConfig {
        order_auth: order_auth?,
        // A function URL and an API's root resource have no path, and the recipe's function asked for none.
        order_path_aliases: reading.or(
            "ORDERBELL_INTAKE_PATHS",
            vec![web::OrderPathAlias::root()],
            web::OrderPathAlias::parse_list,
        ),
        intake_handling: reading.or(
            "ORDERBELL_INTAKE_HANDLING",
            web::Handling::default(),
            web::Handling::parse,
        ),
        admin_key: reading.optional("ORDERBELL_ADMIN_KEY_HASH", |text| {
            web::KeyHash::parse(text)
                .ok_or_else(|| "must be the SHA-256 of a key: 64 hexadecimal digits".to_owned())
        }),
        cors_allow_origins: reading.or(
            "ORDERBELL_CORS_ALLOW_ORIGINS",
            vec!["*".to_owned()],
            web::Settings::parse_origins,
        ),
        public_url: reading.or("ORDERBELL_PUBLIC_URL", "https://orders.example.com".to_owned(), https_url),
        idempotency_lifetime: reading.or("ORDERBELL_IDEMPOTENCY_LIFETIME_HOURS", DEFAULT_LIFETIME, hours),
    };
    Some(config)
}

/// Whom it works for: SNS sends one text to all.
fn shop<E: Fn(&str) -> Option<String>>(reading: &mut Reading<E>) -> Shop {
    Shop {
        language: reading.or("ORDERBELL_LANGUAGE", Language::default(), |tag| {
            Language::of_tag(tag).ok_or_else(|| format!("must be {}", Language::CHOICES))
        }),
        time_zone: reading.or("ORDERBELL_TIME_ZONE", TimeZone::UTC, |name| {
            TimeZone::get(name).map_err(|_| format!("must be {}", TimeZoneName::CHOICES))
        }),
        // SNS writes its own confirmation requests, and its mails are text alone.
        ..Shop::default()
    }
}

/// `ORDERBELL_LOG`, or the level that the function's logging configuration has, whose FATAL is our ERROR.
fn log<E: Fn(&str) -> Option<String>>(reading: &mut Reading<E>) -> Targets {
    let level = reading.or("AWS_LAMBDA_LOG_LEVEL", LevelFilter::INFO, |text| match text {
        "FATAL" => Ok(LevelFilter::ERROR),
        _ => text.parse().map_err(|_| "must be a level such as INFO".to_owned()),
    });
    reading.or("ORDERBELL_LOG", Targets::new().with_default(level), |text| {
        text.parse().map_err(|_| "must be a log filter such as info or info,aws=debug".to_owned())
    })
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
fn table_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if (3..=255).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("must be a table's name: 3 to 255 of A-Z a-z 0-9 _ - .".to_owned())
    }
}

fn key_attribute(text: &str) -> Result<String, String> {
    if text.len() > 255 {
        return Err("must be at most 255 bytes long".to_owned());
    }
    if aws::TableOptions::ATTRIBUTES.contains(&text) {
        return Err(format!("must not be {text}: the items have another attribute of that name"));
    }
    Ok(text.to_owned())
}

/// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>
fn topic_arn(text: &str) -> Result<String, String> {
    let wrong = || "must be a topic's ARN such as arn:aws:sns:eu-central-1:123456789012:orders".to_owned();
    let parts: Vec<_> = text.split(':').collect();
    let ["arn", partition, "sns", region, account, name] = parts[..] else { return Err(wrong()) };
    // A topic's name has no other dot.
    if name.contains('.') {
        return Err("must be a standard topic: a FIFO topic delivers to SQS only".to_owned());
    }
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_right = partition.strip_prefix("aws").is_some_and(|rest| rest.bytes().all(lower))
        && !region.is_empty()
        && region.bytes().all(|byte| lower(byte) || byte.is_ascii_digit())
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=256).contains(&name.len())
        && name.bytes().all(allowed);
    if is_right { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn https_url(text: &str) -> Result<String, String> {
    match text.parse::<http::Uri>() {
        Ok(url) if url.scheme_str() == Some("https") => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("must be an https URL such as https://orders.example.com".to_owned()),
    }
}

fn hours(text: &str) -> Result<Duration, String> {
    let hours = text.parse().ok().filter(|hours| LIFETIME_HOURS.contains(hours));
    hours.map(Duration::from_hours).ok_or_else(|| {
        let (least, most) = (LIFETIME_HOURS.start(), LIFETIME_HOURS.end());
        format!("must be a whole number of hours from {least} to {most}")
    })
}

#[cfg(test)]
mod template_tests;
#[cfg(test)]
mod tests;
