//! Asking a running server.

use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use reqwest::header::LOCATION;
use reqwest::{Method, RequestBuilder, StatusCode, redirect};
use serde_json::Value;
use url::{Host, Url};

use super::output::Unwritten;
use super::{Failure, local, output};
use crate::config::Local;
use crate::keys::ADMIN_KEY_FILE;

/// Which server to ask, and as whom.
#[derive(Args, Clone)]
pub(super) struct Server {
    /// The server [default: this machine's, where it is configured to listen]
    #[arg(long, value_name = "URL", env = "ORDERBELL_URL")]
    url: Option<String>,
    /// The key [default, for a server on this machine: the admin key as configured, or in the data folder]
    #[arg(long, value_name = "KEY", env = "ORDERBELL_KEY", hide_env_values = true)]
    key: Option<String>,
    #[command(flatten)]
    pub(super) local: local::Flags,
    /// Print the server's JSON
    #[arg(long)]
    json: bool,
}

const TIMEOUT: Duration = Duration::from_secs(30);

/// The HTTP client of every command. It follows no redirect: what a server says is shown, and no other is told a key.
pub(super) fn http_client() -> anyhow::Result<reqwest::Client> {
    // Only the first call in a process installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().timeout(TIMEOUT).no_proxy().redirect(redirect::Policy::none()).build()?)
}

impl Server {
    /// Asks for a path and answers the JSON, or fails with the server's own sentence.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        self.ask_with(method, path, |request| match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// As [`ask`](Self::ask), for a request that needs more than a body.
    pub(super) async fn ask_with(
        &self,
        method: Method,
        path: &str,
        complete: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Value, Failure> {
        let server = self.url()?;
        let url = format!("{server}{path}");
        let mut request = http_client()?.request(method, &url).header("accept", "application/json");
        let Key { key, origin } = self.key()?;
        if let Some(key) = &key {
            request = request.header("x-api-key", key);
        }
        let answer = complete(request).send().await.map_err(|error| no_server(&server, &error))?;
        let status = answer.status();
        if let Some(place) = answer.headers().get(LOCATION).filter(|_| status.is_redirection()) {
            let place = place.to_str().unwrap_or_default().escape_debug();
            return Err(
                anyhow!("{server} leads on to {place} ({status}): name that server with --url").into()
            );
        }
        let text = answer.text().await.with_context(|| format!("{url} broke off its answer"))?;
        let json = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str::<Value>(&text) };
        let json = json.map_err(|_| {
            anyhow!("what answers at {server} is no Orderbell, or stands before one: {status}, and no JSON")
        })?;
        if status == StatusCode::UNAUTHORIZED {
            return Err(match key {
                Some(_) => anyhow!("{server} does not take the key from {origin}"),
                None => anyhow!("{server} asks for the admin key, and {origin}"),
            }
            .into());
        }
        if !status.is_success() {
            let detail = json["detail"].as_str().or(json["error"].as_str()).unwrap_or("no reason given");
            return Err(anyhow!("{detail} ({status})").into());
        }
        Ok(json)
    }

    /// Prints an answer: its JSON if that was asked for, else what `for_people` makes of it.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn show(
        &self,
        answer: &Value,
        for_people: impl FnOnce(&Value) -> Result<(), Unwritten>,
    ) -> Result<(), Unwritten> {
        if self.json { output::json(answer) } else { for_people(answer) }
    }

    /// As [`show`](Self::show), where a person is told on standard error that it is done.
    pub(super) fn say(
        &self,
        answer: &Value,
        in_words: impl FnOnce(&Value) -> String,
    ) -> Result<(), Unwritten> {
        self.show(answer, |answer| {
            output::note(&in_words(answer));
            Ok(())
        })
    }

    /// Where to ask, without a slash at its end. An empty variable counts as none.
    pub(super) fn url(&self) -> Result<String, Failure> {
        match self.url.as_deref().map(|url| url.trim().trim_end_matches('/')).filter(|url| !url.is_empty()) {
            Some(url) => http_url(url),
            None => Ok(self.local.resolve()?.url()),
        }
    }

    /// The key that was given; for a server on this machine, the one that is configured or lies in the data folder: no
    /// other is told it.
    fn key(&self) -> Result<Key, Failure> {
        if let Some(key) = self.key.as_deref().map(str::trim).filter(|key| !key.is_empty()) {
            return Ok(Key { key: Some(key.to_owned()), origin: "--key (ORDERBELL_KEY)".to_owned() });
        }
        if self.url.as_deref().is_some_and(|url| !is_this_machine(url)) {
            let origin = "none was given: --key (ORDERBELL_KEY) takes it. That of this machine's own server is told to \
                          no other";
            return Ok(Key { key: None, origin: origin.to_owned() });
        }
        let Local { data, admin_key, .. } = self.local.resolve()?;
        if let Some(key) = admin_key {
            return Ok(Key { key: Some(key), origin: "admin_key (ORDERBELL_ADMIN_KEY)".to_owned() });
        }
        let file = data.join(ADMIN_KEY_FILE);
        let file = std::path::absolute(&file).unwrap_or(file);
        Ok(match std::fs::read_to_string(&file) {
            Ok(key) => Key { key: Some(key.trim().to_owned()), origin: file.display().to_string() },
            Err(error) => Key {
                key: None,
                origin: format!("{} cannot be read: {error}. {NAME_THE_FOLDER}", file.display()),
            },
        })
    }
}

/// A key, if there is one, and where it is from, or what was tried.
struct Key {
    key: Option<String>,
    origin: String,
}

/// What to do where no admin key is found.
const NAME_THE_FOLDER: &str = "Run the command in the folder that the server was started in, name its data folder with \
                               --data (ORDERBELL_DATA), or give the key with --key (ORDERBELL_KEY)";

fn http_url(text: &str) -> Result<String, Failure> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let wrong =
        || "--url (ORDERBELL_URL): must be an http or https URL such as http://127.0.0.1:8080".to_owned();
    url.map(|_| text.to_owned()).ok_or_else(|| Failure::Usage(vec![wrong()]))
}

/// Whether the address is a loopback one. An empty one stands for where this machine is configured to listen.
fn is_this_machine(url: &str) -> bool {
    let host = Url::parse(url.trim()).ok().and_then(|url| url.host().map(|host| host.to_owned()));
    match host {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => url.trim().is_empty(),
    }
}

/// Says in a person's words that the server cannot be reached.
fn no_server(url: &str, error: &reqwest::Error) -> anyhow::Error {
    if error.is_connect() {
        anyhow!(
            "no Orderbell answers at {url}; start one with `orderbell serve`, or name another with --url (ORDERBELL_URL)"
        )
    } else if error.is_timeout() {
        anyhow!("{url} did not answer within {} s", TIMEOUT.as_secs())
    } else {
        anyhow!("{url} cannot be asked: {}", error.to_string().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machines_key_is_told_to_this_machine_alone() {
        for url in ["http://127.0.0.1:8080", "http://localhost/", "http://[::1]:8080", " "] {
            assert!(is_this_machine(url), "{url}");
        }
        for url in
            ["https://orders.example.com", "http://10.0.0.1:8080", "http://localhost.example.com", "nonsense"]
        {
            assert!(!is_this_machine(url), "{url}");
        }
    }
}
