//! Webhooks: a POST of JSON, signed as Standard Webhooks has it.

mod address_rules;
mod allowed_host;
mod answer;
mod body;
mod guard;
mod retry_after;

use std::time::Duration;

use application::ports::{Channel, ChannelRules, Message, Sent};
use async_trait::async_trait;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::{Endpoint, Protocol, WebhookUrl};
use domain::webhook_secret::WebhookSecret;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Request, Response, redirect};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};

pub use allowed_host::{AllowedHost, InvalidHost};
pub use guard::{Refusal, refused};

use answer::Answer;
use guard::Guard;

/// How webhooks are called.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Receivers that may be in a private network.
    pub allowed_hosts: Vec<AllowedHost>,
    /// The limit for connecting, and again for the whole answer.
    pub timeout: Duration,
    /// How it is used.
    pub rules: ChannelRules,
}

/// The HTTP client could not be made.
#[derive(Debug)]
pub struct NoClient(String);

/// Calls webhooks.
pub struct Webhook {
    settings: WebhookSettings,
    client: Client,
}

/// How much of an answer is read, in bytes.
pub const MAX_ANSWER: usize = 16 * 1024;

const USER_AGENT: &str = concat!("Orderbell/", env!("CARGO_PKG_VERSION"));

impl Webhook {
    /// Takes the settings; nothing is connected yet.
    ///
    /// # Errors
    /// The HTTP client could not be made.
    pub fn new(settings: WebhookSettings) -> Result<Self, NoClient> {
        let client = client(Guard::new(&settings.allowed_hosts), settings.timeout).map_err(NoClient)?;
        Ok(Self { settings, client })
    }

    async fn call(&self, message: &Message) -> Result<Sent, Outcome> {
        let Endpoint::Webhook(url) = &message.endpoint else {
            return Err(never(format!("{} is no webhook", message.endpoint.masked())));
        };
        if let Some(refusal) = refused(url, &self.settings.allowed_hosts) {
            return Err(never(refusal));
        }
        let request = self.request(url, message)?;
        let response = self.client.execute(request).await.map_err(|error| failure(&error))?;
        let answer = read(response).await;
        Ok(answer.meaning(&message.content, message.at))
    }

    fn request(&self, url: &WebhookUrl, message: &Message) -> Result<Request, Outcome> {
        let id = message.id.to_string();
        let time = message.at.as_second();
        let body = body::body(&message.content, message.at).map_err(never)?;
        let signature = signatures(message, &id, time, &body)?;
        self.client
            .post(url.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, id)
            .header(HEADER_WEBHOOK_TIMESTAMP, time)
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body)
            .build()
            .map_err(|error| never(error.without_url()))
    }
}

/// A signature of each secret, parted by spaces: a receiver that knows one of them is content.
fn signatures(message: &Message, id: &str, time: i64, body: &[u8]) -> Result<String, Outcome> {
    if message.secrets.is_empty() {
        return Err(never("the subscription has no secret to sign with"));
    }
    let sign = |secret: &WebhookSecret| {
        standardwebhooks::Webhook::new(secret.reveal()).and_then(|signer| signer.sign(id, time, body))
    };
    let signatures: Result<Vec<_>, _> = message.secrets.iter().map(sign).collect();
    signatures.map(|all| all.join(" ")).map_err(|error| never(format!("it cannot be signed: {error}")))
}

/// A client that connects only where `guard` lets it: no proxy stands between, and no redirect leads elsewhere.
fn client(guard: Guard, timeout: Duration) -> Result<Client, String> {
    Client::builder()
        .tls_backend_preconfigured(crate::tls::client_config(None)?)
        .dns_resolver(guard)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .user_agent(USER_AGENT)
        .connect_timeout(timeout)
        .timeout(timeout.saturating_mul(2))
        .build()
        .map_err(|error| error.to_string())
}

/// What the receiver said. Once its status is here, what becomes of the rest changes nothing.
async fn read(mut response: Response) -> Answer {
    let status = response.status();
    let retry_after =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - body.len())]);
    }
    Answer { status, retry_after, body }
}

/// No answer came: without a connection nothing was sent, with one the receiver may have taken it all the same.
fn failure(error: &reqwest::Error) -> Outcome {
    let mut why: &dyn std::error::Error = error;
    while let Some(source) = why.source() {
        why = source;
    }
    if error.is_connect() {
        Outcome::new(OutcomeKind::Transient(Scope::Endpoint), format!("no connection: {why}"))
    } else if error.is_timeout() {
        Outcome::new(OutcomeKind::Unknown, "no answer in time")
    } else {
        Outcome::new(OutcomeKind::Unknown, format!("the connection was lost: {why}"))
    }
}

fn never(why: impl std::fmt::Display) -> Outcome {
    Outcome::new(OutcomeKind::Permanent(Scope::Delivery), why.to_string())
}

#[async_trait]
impl Channel for Webhook {
    fn protocol(&self) -> Protocol {
        Protocol::Webhook
    }

    fn rules(&self) -> ChannelRules {
        self.settings.rules
    }

    async fn send(&self, message: &Message) -> Sent {
        self.call(message).await.unwrap_or_else(|outcome| Sent { outcome, confirmed: false })
    }

    /// Webhooks have no provider of their own that could be down.
    async fn probe(&self) -> Result<(), Outcome> {
        Ok(())
    }
}

impl std::fmt::Display for NoClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the HTTP client for webhooks could not be made: {}", self.0)
    }
}

impl std::error::Error for NoClient {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        let receiver = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        receiver.set_nonblocking(true).unwrap();
        let client = client(Guard::new(&[]), Duration::from_secs(5)).unwrap();
        let url = format!("http://localhost:{}/", receiver.local_addr().unwrap().port());
        let outcome = failure(&client.post(url).send().await.unwrap_err());
        assert_eq!(outcome.kind, OutcomeKind::Transient(Scope::Endpoint));
        assert!(outcome.reply.contains("is a loopback address"), "{}", outcome.reply);
        assert!(receiver.accept().is_err(), "nobody called");
    }
}
