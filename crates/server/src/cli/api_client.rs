//! Asking a running server.

use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use url::{Host, Url};

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

/// The HTTP client of every command.
pub(super) fn http_client() -> anyhow::Result<reqwest::Client> {
    // Only the first call in a process installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?)
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
        if let Some(key) = self.key()? {
            request = request.header("x-api-key", key);
        }
        let answer = complete(request).send().await.map_err(|error| no_server(&server, &error))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("{url} broke off its answer"))?;
        let json: Value = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        if !status.is_success() {
            let detail = json["detail"].as_str().or(json["error"].as_str()).unwrap_or("no reason given");
            return Err(anyhow!("{detail} ({status})").into());
        }
        Ok(json)
    }

    /// Prints an answer: its JSON if that was asked for, else what `for_people` makes of it.
    pub(super) fn show(&self, answer: &Value, for_people: impl FnOnce(&Value)) {
        if self.json {
            output::json(answer);
        } else {
            for_people(answer);
        }
    }

    /// Where to ask, without a slash at its end. An empty variable counts as none.
    pub(super) fn url(&self) -> Result<String, Failure> {
        match self.url.as_deref().map(|url| url.trim().trim_end_matches('/')).filter(|url| !url.is_empty()) {
            Some(url) => Ok(url.to_owned()),
            None => Ok(self.local.resolve()?.url()),
        }
    }

    /// The key that was given; for a server on this machine, the one that is configured or lies in the data folder: no
    /// other is told it.
    fn key(&self) -> Result<Option<String>, Failure> {
        if let Some(key) = self.key.as_deref().map(str::trim).filter(|key| !key.is_empty()) {
            return Ok(Some(key.to_owned()));
        }
        if self.url.as_deref().is_some_and(|url| !is_this_machine(url)) {
            return Ok(None);
        }
        let Local { data, admin_key, .. } = self.local.resolve()?;
        let stored = || std::fs::read_to_string(data.join(ADMIN_KEY_FILE)).ok();
        Ok(admin_key.or_else(stored).map(|key| key.trim().to_owned()))
    }
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
        anyhow!("no Orderbell answers at {url}; start one with `orderbell serve`, or name another with --url")
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
