//! Asking a running server.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use domain::this_machine::leads_here;
use reqwest::header::LOCATION;
use reqwest::{ClientBuilder, Method, RequestBuilder, StatusCode, redirect};
use serde_json::Value;
use url::Url;

use super::connection_error::explain_connection_error;
use super::flag_names::in_flags;
use super::output::StdoutError;
use super::{Failure, argument, output};
use crate::file_permissions::{self, FileAccess};
use crate::operator_socket::{SOCKET, SocketPath};

/// Which server to ask, and as whom.
#[derive(Args, Clone)]
pub(super) struct Server {
    /// The server [default: this machine's, over the socket in its data folder]
    #[arg(long, value_name = "URL", env = "ORDERBELL_URL")]
    url: Option<String>,
    /// A file that holds the key for the server at --url, or - for standard input [default: what `ORDERBELL_KEY` holds]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) local: argument::LocalFlags,
    /// Print the server's JSON
    #[arg(long)]
    json: bool,
}

/// Which page of a list, and of which server.
#[derive(Args)]
#[group(skip)]
pub(super) struct ServerPage {
    /// How many rows
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = argument::whole(1..=200))]
    limit: u32,
    /// Where the page begins, as the page before said
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    #[command(flatten)]
    pub(super) server: Server,
}

/// A server that can be asked.
pub(super) struct ServerConnection {
    client: reqwest::Client,
    /// What paths are put after.
    pub(super) base: String,
    /// Where a person would look for it.
    pub(super) shown: String,
    /// Whether nobody else can read on the way, or answer in its place.
    is_private: bool,
    /// The path to the socket, kept open; `None` for a server that was named.
    socket_path: Option<SocketPath>,
}

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

impl ServerConnection {
    /// A request to `path`, to be completed.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Why a request got no answer.
    pub(super) fn explain(&self, error: &reqwest::Error) -> anyhow::Error {
        explain_connection_error(&self.shown, REQUEST_TIMEOUT, error)
    }
}

/// The HTTP client of every command. It follows no redirect: what a server says is shown, and no other is told a key.
fn http_client() -> ClientBuilder {
    // Only the first call in a process installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(REQUEST_TIMEOUT).no_proxy().redirect(redirect::Policy::none())
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
        let server = self.connect()?;
        let mut request = server.request(method, path).header("accept", "application/json");
        let key = self.key(&server)?;
        if let Some(Key { key, .. }) = &key {
            refuse_to_tell_everyone(&server)?;
            request = request.header("x-api-key", key);
        }
        let answer = complete(request).send().await.map_err(|error| server.explain(&error))?;
        let status = answer.status();
        if let Some(place) = answer.headers().get(LOCATION).filter(|_| status.is_redirection()) {
            let (shown, place) = (&server.shown, place.to_str().unwrap_or_default().escape_debug());
            return Err(anyhow!("{shown} leads on to {place} ({status}): name that server with --url").into());
        }
        let text = answer.text().await.with_context(|| format!("{} broke off its answer", server.shown))?;
        let json = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str::<Value>(&text) };
        let json = json.map_err(|_| {
            let shown = &server.shown;
            anyhow!("what answers at {shown} is no Orderbell, or stands before one: {status}, and no JSON")
        })?;
        if status == StatusCode::UNAUTHORIZED {
            return Err(no_entry(&server.shown, path, key).into());
        }
        if json["code"] == "no_such_route" {
            let shown = &server.shown;
            return Err(anyhow!(
                "there is nothing at {shown}{path}: --url names Orderbell's own address, as {EXAMPLE}, or the path that a proxy \
                 puts before it"
            )
            .into());
        }
        if !status.is_success() {
            let detail = json["detail"].as_str().or(json["error"].as_str()).unwrap_or("no reason given");
            return Err(anyhow!("{} ({status})", in_flags(detail)).into());
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
        for_people: impl FnOnce(&Value) -> Result<(), StdoutError>,
    ) -> Result<(), StdoutError> {
        if self.json { output::json(answer) } else { for_people(answer) }
    }

    /// As [`show`](Self::show), where a person is told on standard error that it is done.
    pub(super) fn say(
        &self,
        answer: &Value,
        in_words: impl FnOnce(&Value) -> String,
    ) -> Result<(), StdoutError> {
        self.show(answer, |answer| {
            output::note(&in_words(answer));
            Ok(())
        })
    }

    /// How to reach the server that was named, or else the one on this machine, over its socket: whoever holds its port
    /// meanwhile is nobody we know. An empty variable counts as none.
    pub(super) fn connect(&self) -> Result<ServerConnection, Failure> {
        let named =
            self.url.as_deref().map(|url| url.trim().trim_end_matches('/')).filter(|url| !url.is_empty());
        if let Some(url) = named {
            let (parsed, base, shown) = (http_url(url)?, url.to_owned(), url.to_owned());
            let client = client_for(&parsed).build()?;
            return Ok(ServerConnection {
                client,
                base,
                shown,
                is_private: is_private(&parsed),
                socket_path: None,
            });
        }
        let data = self.local.resolve()?.data;
        let shown = absolute(data.join(SOCKET))?.display().to_string();
        let socket_path =
            SocketPath::to(&data).and_then(|socket_path| socket_path.check_owner().map(|()| socket_path));
        let socket_path = match socket_path {
            Err(error) if error.kind() == ErrorKind::NotFound => SocketPath::without_listener(&data),
            socket_path => socket_path.map_err(|error| anyhow!("{shown} {error}"))?,
        };
        let client = http_client().unix_socket(socket_path.path()).build()?;
        Ok(ServerConnection {
            client,
            base: "http://localhost".to_owned(),
            shown,
            is_private: true,
            socket_path: Some(socket_path),
        })
    }

    /// The key that was given for this server. That of the data folder is told to nobody: over the socket it is not needed.
    fn key(&self, server: &ServerConnection) -> Result<Option<Key>, Failure> {
        let (given, origin) = match &self.key_file {
            Some(path) => {
                let is_input = path == Path::new("-");
                let key = if is_input {
                    argument::read(path)
                } else {
                    file_permissions::read(path, FileAccess::Secret).map_err(Into::into)
                };
                let origin = format!("--key-file: {}", path.display());
                let text = key.and_then(|key| Ok(String::from_utf8(key)?));
                (text.with_context(|| origin.clone())?, origin)
            }
            // It is for the server that is named with it.
            None if server.socket_path.is_some() => return Ok(None),
            None => (std::env::var("ORDERBELL_KEY").unwrap_or_default(), "ORDERBELL_KEY".to_owned()),
        };
        let key = given.trim().to_owned();
        match (key.is_empty(), &self.key_file) {
            (true, Some(_)) => Err(anyhow!("{origin} holds no key").into()),
            (true, None) => Ok(None),
            (false, _) => Ok(Some(Key { key, origin })),
        }
    }
}

impl ServerPage {
    /// Asks for the page of the list at a path, as the query narrows it.
    pub(super) async fn ask(&self, path: &str, query: &[(&str, Option<&str>)]) -> Result<Value, Failure> {
        let limit = self.limit.to_string();
        let paging = [("limit", Some(limit.as_str())), ("cursor", self.cursor.as_deref())];
        let given: Vec<_> =
            query.iter().chain(&paging).filter_map(|(name, value)| Some((*name, (*value)?))).collect();
        self.server.ask_with(Method::GET, path, |request| request.query(&given)).await
    }
}

/// A key, and where it is from.
struct Key {
    key: String,
    origin: String,
}

/// Why a server let nobody in: which key it wants for that path, and how to give it.
fn no_entry(shown: &str, path: &str, key: Option<Key>) -> anyhow::Error {
    let wanted = if path == "/create-order" {
        "the key of a client, as `orderbell key new NAME` made it (intake_keys), or the admin key"
    } else {
        "the admin key, which lies in its data folder as admin.key unless admin_key is set"
    };
    match key {
        Some(Key { origin, .. }) => anyhow!("{shown} does not take the key from {origin}: it wants {wanted}"),
        None => anyhow!(
            "{shown} wants {wanted}: give it with --key-file FILE, or in ORDERBELL_KEY. That of this machine's own server \
             is told to no other"
        ),
    }
}

/// What an address of a server looks like.
const EXAMPLE: &str = "http://127.0.0.1:8080";

fn http_url(text: &str) -> Result<Url, Failure> {
    // What stands before an @ is a secret, which messages would show.
    let is_bare = |url: &Url| url.has_host() && url.username().is_empty() && url.password().is_none();
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && is_bare(url));
    let wrong = || {
        "--url (ORDERBELL_URL): must be an http or https URL such as http://127.0.0.1:8080, without a user name"
            .to_owned()
    };
    url.ok_or_else(|| Failure::Usage(vec![wrong()]))
}

/// Keys go over https or to this machine.
fn refuse_to_tell_everyone(server: &ServerConnection) -> Result<(), Failure> {
    if server.is_private {
        return Ok(());
    }
    let why = "the key would go there for everyone on the way to read; use https";
    Err(Failure::Usage(vec![format!("--url {}: {why}", server.shown)]))
}

/// A client for a server that was named. Nobody is asked where this machine is.
fn client_for(url: &Url) -> ClientBuilder {
    let here =
        [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].map(|address| SocketAddr::new(address, 0));
    match url.domain().filter(|_| leads_here(url)) {
        Some(name) => http_client().resolve_to_addrs(name, &here),
        None => http_client(),
    }
}

/// Whether nobody on the way can read: over https, and to this machine.
fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || leads_here(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_over_https_or_to_this_machine() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost/",
            "http://[::1]:8080",
            "https://orders.example.com",
            "http://127.9.9.9",
        ] {
            assert!(is_private(&Url::parse(url).unwrap()), "{url}");
        }
        for url in [
            "http://orders.example.com",
            "http://10.0.0.1:8080",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
            "http://[::ffff:10.0.0.1]",
        ] {
            assert!(!is_private(&Url::parse(url).unwrap()), "{url}");
        }
    }
}
