//! Where settings come from: a file, the environment, flags. Later layers win, setting by setting.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use toml::Value;

use super::toml_mistake::toml_mistake;
use crate::file_permissions::{self, FileAccess};

/// Every setting there is, as the file has it. In the environment `smtp.host` is `ORDERBELL_SMTP_HOST`.
pub(crate) const SETTINGS: [&str; 75] = [
    "listen",
    "data",
    "public_url",
    "intake",
    "intake_keys",
    "intake_paths",
    "intake_handling",
    "admin_key",
    "metrics_key",
    "cors_allow_origins",
    "allowed_hosts",
    "idempotency_lifetime_hours",
    "language",
    "time_zone",
    "shop.name",
    "shop.imprint",
    "shop.color",
    "shop.logo",
    "max_connections",
    "max_connections_per_peer",
    "proxies",
    "max_orders_per_address",
    "max_orders_per_key",
    "max_orders_without_key",
    "log",
    "log_format",
    "smtp.host",
    "smtp.port",
    "smtp.tls",
    "smtp.username",
    "smtp.password",
    "smtp.token_url",
    "smtp.client_id",
    "smtp.client_secret",
    "smtp.scope",
    "smtp.refresh_token",
    "smtp.from",
    "smtp.reply_to",
    "smtp.hello_name",
    "smtp.ca_file",
    "smtp.timeout_seconds",
    "smtp.concurrency",
    "smtp.max_per_second",
    "smtp.on_unknown",
    "webhook.allowed_hosts",
    "webhook.ca_file",
    "webhook.timeout_seconds",
    "webhook.concurrency",
    "webhook.endpoint_concurrency",
    "webhook.max_per_second",
    "webhook.on_unknown",
    "sms.provider",
    "sms.from",
    "sms.messaging_service_sid",
    "sms.account_sid",
    "sms.auth_token",
    "sms.api_key_sid",
    "sms.api_key_secret",
    "sms.api_url",
    "sms.aws_region",
    "sms.aws_access_key_id",
    "sms.aws_secret_access_key",
    "sms.aws_session_token",
    "sms.aws_endpoint_url",
    "sms.sender_id",
    "sms.max_parts",
    "sms.unsubscribe_link",
    "sms.timeout_seconds",
    "sms.concurrency",
    "sms.max_per_second",
    "sms.on_unknown",
    "chat.timeout_seconds",
    "chat.concurrency",
    "chat.max_per_second",
    "chat.on_unknown",
];

/// Those that open something.
const SECRETS: [&str; 8] = [
    "admin_key",
    "smtp.password",
    "smtp.client_secret",
    "smtp.refresh_token",
    "sms.auth_token",
    "sms.api_key_secret",
    "sms.aws_secret_access_key",
    "sms.aws_session_token",
];

/// Settings that are read from AWS's own variables too, where nothing of ours says otherwise.
const AWS_VARIABLES: [(&str, &str); 5] = [
    ("sms.aws_region", "AWS_REGION"),
    ("sms.aws_access_key_id", "AWS_ACCESS_KEY_ID"),
    ("sms.aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
    ("sms.aws_session_token", "AWS_SESSION_TOKEN"),
    ("sms.aws_endpoint_url", "AWS_ENDPOINT_URL_SNS"),
];

/// Variables of ours that are no settings: three of the commands, whom to trust, and one of the program's own tests.
const OTHER_VARIABLES: [&str; 5] =
    ["ORDERBELL_CONFIG", "ORDERBELL_URL", "ORDERBELL_KEY", "ORDERBELL_TRUST", "ORDERBELL_MUTATION"];

/// The file that is read if it is there and no other is named.
pub(crate) const DEFAULT_FILE: &str = "orderbell.toml";

/// Settings as they were written, each with where.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    written: BTreeMap<&'static str, RawSetting>,
    mistakes: Vec<String>,
}

/// One setting as it was written.
#[derive(Debug)]
pub(super) struct RawSetting {
    pub(super) text: String,
    pub(super) origin: String,
}

/// The environment's name of a setting.
pub(super) fn environment_name(setting: &str) -> String {
    format!("ORDERBELL_{}", setting.to_ascii_uppercase().replace('.', "_"))
}

impl Layers {
    /// Puts the file's settings on top: the one named, or the default one if it is there. An empty name counts as none.
    pub(crate) fn file(mut self, named: Option<&Path>) -> Self {
        let named = named.filter(|path| !path.as_os_str().is_empty());
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        match file_permissions::read(path, FileAccess::Public).and_then(as_utf8) {
            Ok(text) => {
                self.toml(path, &text);
                self.keep_secrets(path);
            }
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => self.mistakes.push(format!("{}: cannot be read: {error}", path.display())),
        }
        self
    }

    /// Secrets stand in no file that others can read.
    fn keep_secrets(&mut self, path: &Path) {
        let holds = self.written.keys().any(|setting| SECRETS.contains(setting));
        if let Some(error) = holds.then(|| file_permissions::read(path, FileAccess::Secret).err()).flatten() {
            self.mistakes.push(format!("{}: {error}", path.display()));
        }
    }

    fn toml(&mut self, path: &Path, text: &str) {
        match text.parse::<toml::Table>() {
            Ok(table) => self.table(path, "", table),
            Err(error) => self.mistakes.push(toml_mistake(path, text, &error)),
        }
    }

    fn table(&mut self, path: &Path, prefix: &str, table: toml::Table) {
        for (key, value) in table {
            let name = format!("{prefix}{key}");
            let known = SETTINGS.into_iter().find(|setting| *setting == name);
            match (known, value) {
                (Some(setting), value) => {
                    self.set(setting, as_text(value), format!("{name} in {}", path.display()));
                }
                (None, Value::Table(inner)) if prefix.is_empty() => {
                    self.table(path, &format!("{key}."), inner);
                }
                (None, _) => {
                    let meant = nearest(&name, SETTINGS.iter().map(|setting| (*setting).to_owned()));
                    let mistake = format!("{name} in {}: there is no such setting{meant}", path.display());
                    self.mistakes.push(mistake);
                }
            }
        }
    }

    /// Puts the environment's settings on top. An empty variable counts as none; one of our names that is no setting is a
    /// mistake.
    pub(crate) fn environment(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut variables: BTreeMap<_, _> = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        for setting in SETTINGS {
            let name = environment_name(setting);
            if let Some(value) = variables.remove(&name) {
                match value.into_string() {
                    Ok(text) => self.set(setting, text, name),
                    Err(_) => self.mistakes.push(format!("{name}: must be UTF-8")),
                }
            }
        }
        for (setting, name) in AWS_VARIABLES {
            if let Some(text) = variables.remove(name).and_then(|value| value.into_string().ok()) {
                let written = RawSetting { text, origin: name.to_owned() };
                self.written.entry(setting).or_insert(written);
            }
        }
        let ours = variables.iter().filter(|(name, _)| is_meant_for_us(name));
        for (name, _) in ours.filter(|(name, value)| !is_meant_for_others(name, value)) {
            self.mistakes.push(no_such_variable(name));
        }
        self
    }

    /// Puts a flag on top, if it was given.
    pub(crate) fn flag(mut self, setting: &'static str, given: Option<String>) -> Self {
        if let Some(text) = given {
            self.set(setting, text, format!("--{}", setting.replace('_', "-")));
        }
        self
    }

    fn set(&mut self, setting: &'static str, text: String, origin: String) {
        self.written.insert(setting, RawSetting { text, origin });
    }

    pub(super) fn into_parts(self) -> (BTreeMap<&'static str, RawSetting>, Vec<String>) {
        (self.written, self.mistakes)
    }
}

/// What the names of our variables begin with, but for the line after it.
const PREFIX: &str = "ORDERBELL";

fn no_such_variable(name: &str) -> String {
    let commands = OTHER_VARIABLES.into_iter().take(4).map(str::to_owned);
    let known = SETTINGS.into_iter().map(environment_name).chain(commands);
    let upper = name.to_ascii_uppercase();
    let rest = upper.strip_prefix(PREFIX).or_else(|| upper.split_once('_').map(|(_, rest)| rest));
    let rest = rest.unwrap_or_default().trim_start_matches(['_', '-', '.']).replace("__", "_");
    format!("{name}: there is no such setting{}", nearest(&rest, known))
}

/// Whether a variable was meant for us: its name begins as ours do, in whatever case, but for a slip or two.
fn is_meant_for_us(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let before = upper.split_once('_').map_or("", |(before, _)| before);
    upper.starts_with(PREFIX) || strsim::damerau_levenshtein(before, PREFIX) <= 2
}

/// Whether a variable of our prefix is none of the program's settings by right. Kubernetes sets `ORDERBELL_SERVICE_…` and
/// `ORDERBELL_PORT…=tcp://…` in every container beside a service of the name orderbell, and the same with
/// `ORDERBELL_RELAY_…` beside one of the name orderbell-relay.
fn is_meant_for_others(name: &str, value: &OsStr) -> bool {
    let is_a_port = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    OTHER_VARIABLES.contains(&name)
        || name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.split_once("_PORT_").is_some_and(|(_, rest)| is_a_port(rest))
        || (name.ends_with("_PORT") && value.to_string_lossy().contains("://"))
}

/// The known name that was probably meant: the nearest, or one that the written name is the end of.
fn nearest(written: &str, known: impl Iterator<Item = String>) -> String {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '.'], "_").replace("orderbell_", "");
    let wanted = plain(written);
    let distance = |name: &str| {
        let name = plain(name);
        let is_end = name.strip_suffix(&wanted).is_some_and(|before| before.ends_with('_'));
        if is_end { 0 } else { strsim::damerau_levenshtein(&name, &wanted) }
    };
    if ["port", "bind", "address"].contains(&wanted.as_str()) {
        return "; listen (ORDERBELL_LISTEN) says where to listen".to_owned();
    }
    let nearest = known.map(|name| (distance(&name), name)).min();
    let near_enough = nearest.filter(|(distance, _)| *distance <= (wanted.len() / 3).max(1));
    near_enough.map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}

fn as_utf8(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// A value as the environment would have it: lists are joined by commas, tables are entries NAME=VALUE.
fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Array(values) => values.into_iter().map(as_text).collect::<Vec<_>>().join(","),
        Value::Table(table) => {
            let entry = |(name, value)| format!("{name}={}", as_text(value));
            table.into_iter().map(entry).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_called_a_key_a_token_a_secret_or_a_password_is_kept_as_one() {
        // A hash, and two limits.
        let open = ["metrics_key", "max_orders_per_key", "max_orders_without_key"];
        let ends = ["key", "token", "secret", "password"];
        let called = SETTINGS.into_iter().filter(|setting| ends.iter().any(|end| setting.ends_with(end)));
        for setting in called.filter(|setting| !open.contains(setting)) {
            assert!(SECRETS.contains(&setting), "{setting}");
        }
        assert!(SECRETS.iter().all(|secret| SETTINGS.contains(secret)));
    }
}
