//! Asking a running server.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::output;
use crate::keys::ADMIN_KEY_FILE;

/// Which server to ask, and as whom.
#[derive(Args, Clone)]
pub(super) struct Server {
    /// The server
    #[arg(long, value_name = "URL", env = "ORDERBELL_URL", default_value = "http://127.0.0.1:8080")]
    pub(super) url: String,
    /// The key; by default the admin key in the data folder
    #[arg(long, value_name = "KEY", env = "ORDERBELL_KEY", hide_env_values = true)]
    key: Option<String>,
    /// The data folder that holds the admin key
    #[arg(long, value_name = "DIR", env = "ORDERBELL_DATA", default_value = "./orderbell-data")]
    pub(super) data: PathBuf,
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
    ) -> anyhow::Result<Value> {
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
    ) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let mut request = http_client()?.request(method, &url).header("accept", "application/json");
        if let Some(key) = self.key() {
            request = request.header("x-api-key", key);
        }
        let answer = complete(request).send().await.map_err(|error| no_server(&self.url, &error))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("{url} broke off its answer"))?;
        let json: Value = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        if !status.is_success() {
            let detail = json["detail"].as_str().or(json["error"].as_str()).unwrap_or("no reason given");
            bail!("{detail} ({status})");
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

    /// The key that was given, or that lies in the data folder.
    fn key(&self) -> Option<String> {
        let stored = || std::fs::read_to_string(self.data.join(ADMIN_KEY_FILE)).ok();
        self.key.clone().or_else(stored).map(|key| key.trim().to_owned())
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
