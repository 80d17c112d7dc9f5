//! Webhooks: a POST of JSON, signed as Standard Webhooks has it.

mod body;
mod response;

use std::time::Duration;

use application::ports::{Channel, ChannelRules, Message, Sent};
use async_trait::async_trait;
use domain::attempt::Outcome;
use domain::delivery::DeliveryKind;
use domain::endpoint::{Endpoint, Protocol};
use domain::webhook_secret::WebhookSecret;
use reqwest::Request;
use reqwest::header::CONTENT_TYPE;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};
use url::Url;

use crate::http::{AllowedHost, Caller, ClientBuildError, blocked_address};
use crate::outcomes::{callable, never};

/// How webhooks are called.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Receivers that may be in a private network.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Certificates to trust besides Mozilla's and the system's roots, as PEM: of private authorities, or receivers' own.
    pub ca: Option<Vec<u8>>,
    /// The limit for connecting, and again for the whole answer.
    pub timeout: Duration,
    /// At what rate calls are made, and what follows when nobody knows whether one was taken.
    pub rules: ChannelRules,
}

/// Calls webhooks.
pub struct Webhook {
    settings: WebhookSettings,
    caller: Caller,
}

impl Webhook {
    /// Takes the settings; nothing is connected yet.
    ///
    /// # Errors
    /// The HTTP client could not be made.
    pub fn new(settings: WebhookSettings) -> Result<Self, ClientBuildError> {
        let caller = Caller::new(&settings.allowed_hosts, settings.ca.as_deref(), settings.timeout)?;
        Ok(Self { settings, caller })
    }

    async fn call(&self, message: &Message) -> Result<Sent, Outcome> {
        let Endpoint::Webhook(url) = &message.endpoint else {
            return Err(never(format!("{} is no webhook", message.endpoint.masked())));
        };
        let url = callable(url)?;
        if let Some(blocked) = blocked_address(url, &self.settings.allowed_hosts) {
            return Err(never(blocked));
        }
        let request = self.request(url.clone(), message)?;
        let is_confirmation = message.content.kind() == DeliveryKind::Confirmation;
        let response = self.caller.execute(request, |status| is_confirmation && status.is_success()).await?;
        Ok(response::classify_response(&response, &message.content, message.at))
    }

    fn request(&self, url: Url, message: &Message) -> Result<Request, Outcome> {
        let id = message.id.to_string();
        let time = message.at.as_second();
        let body = body::body(message).map_err(never)?;
        let signatures = signatures(&message.secrets, &id, time, &body)?;
        self.caller
            .client()
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, id)
            .header(HEADER_WEBHOOK_TIMESTAMP, time)
            .header(HEADER_WEBHOOK_SIGNATURE, signatures)
            .body(body)
            .build()
            .map_err(|error| never(error.without_url()))
    }
}

/// A signature by each secret: while one replaces another, the receiver may know either.
fn signatures(secrets: &[WebhookSecret], id: &str, time: i64, body: &[u8]) -> Result<String, Outcome> {
    let by = |secret: &WebhookSecret| standardwebhooks::Webhook::new(secret.reveal())?.sign(id, time, body);
    let signatures: Vec<_> = secrets
        .iter()
        .map(by)
        .collect::<Result<_, _>>()
        .map_err(|error| never(format!("it cannot be signed: {error}")))?;
    if signatures.is_empty() {
        return Err(never("the subscription has no secret to sign with"));
    }
    Ok(signatures.join(" "))
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
        self.call(message).await.unwrap_or_else(Sent::from)
    }

    async fn probe(&self) -> Result<(), Outcome> {
        self.caller.probe().await
    }
}
