//! Chats: a post to an incoming webhook, in Slack's form.

mod order_blocks;
mod payload;
mod response;
mod words;

use std::time::Duration;

use application::ports::{Channel, ChannelRules, Message, Sent};
use async_trait::async_trait;
use domain::attempt::Outcome;
use domain::endpoint::{Endpoint, Protocol};

use crate::http::{AllowedHost, Caller, ClientBuildError, blocked_address};
use crate::outcomes::{callable, never};

/// How chats are posted to.
#[derive(Debug, Clone)]
pub struct ChatSettings {
    /// Chat servers that may be in a private network.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Certificates to trust besides Mozilla's and the system's roots, as PEM: of private authorities, or receivers' own.
    pub ca: Option<Vec<u8>>,
    /// The limit for connecting, and again for the whole answer.
    pub timeout: Duration,
    /// At what rate messages are posted, and what follows when nobody knows whether one was.
    pub rules: ChannelRules,
}

/// Posts to chats.
pub struct Chat {
    settings: ChatSettings,
    caller: Caller,
}

impl Chat {
    /// Takes the settings; nothing is connected yet.
    ///
    /// # Errors
    /// The HTTP client could not be made.
    pub fn new(settings: ChatSettings) -> Result<Self, ClientBuildError> {
        let caller = Caller::new(&settings.allowed_hosts, settings.ca.as_deref(), settings.timeout)?;
        Ok(Self { settings, caller })
    }

    async fn post(&self, message: &Message) -> Result<Outcome, Outcome> {
        let Endpoint::Chat(url) = &message.endpoint else {
            return Err(never(format!("{} is no chat", message.endpoint.masked())));
        };
        let url = callable(url)?;
        let is_slack = url.host_str() == Some(response::SLACK);
        if let Some(blocked) = blocked_address(url, &self.settings.allowed_hosts) {
            return Err(never(blocked));
        }
        let payload = payload::payload(message, url.host_str());
        let post = self.caller.client().post(url.clone()).json(&payload);
        let request = post.build().map_err(|error| never(error.without_url()))?;
        // Whether it was posted, or why not, the body says.
        let response = self.caller.execute(request, |_| true).await?;
        Ok(response::classify_response(&response, is_slack, message.at).with_status(response.status))
    }
}

#[async_trait]
impl Channel for Chat {
    fn protocol(&self) -> Protocol {
        Protocol::Chat
    }

    fn rules(&self) -> ChannelRules {
        self.settings.rules
    }

    /// A person confirms by opening the link; a chat does not answer for them.
    async fn send(&self, message: &Message) -> Sent {
        self.post(message).await.unwrap_or_else(|outcome| outcome).into()
    }

    async fn probe(&self) -> Result<(), Outcome> {
        self.caller.probe().await
    }
}
