//! Chats: a post to an incoming webhook, in Slack's form.

mod answer;
mod mrkdwn;
mod payload;

use std::time::Duration;

use application::ports::{Channel, ChannelRules, Message, Sent};
use async_trait::async_trait;
use domain::attempt::{Outcome, Scope};
use domain::endpoint::{Endpoint, Protocol};
use reqwest::Client;

use crate::http::{AllowedHost, NoClient, ask, guarded_client, refused};
use crate::unsendable::{callable, never};

/// How chats are posted to.
#[derive(Debug, Clone)]
pub struct ChatSettings {
    /// Chat servers that may be in a private network.
    pub allowed_hosts: Vec<AllowedHost>,
    /// The limit for connecting, and again for the whole answer.
    pub timeout: Duration,
    /// At what pace messages are posted, and what follows when nobody knows whether one was.
    pub rules: ChannelRules,
}

/// Posts to chats.
pub struct Chat {
    settings: ChatSettings,
    client: Client,
}

impl Chat {
    /// Takes the settings; nothing is connected yet.
    ///
    /// # Errors
    /// The HTTP client could not be made.
    pub fn new(settings: ChatSettings) -> Result<Self, NoClient> {
        let client = guarded_client(&settings.allowed_hosts, settings.timeout)?;
        Ok(Self { settings, client })
    }

    async fn post(&self, message: &Message) -> Result<Outcome, Outcome> {
        let Endpoint::Chat(url) = &message.endpoint else {
            return Err(never(format!("{} is no chat", message.endpoint.masked())));
        };
        let url = callable(url)?;
        if let Some(refusal) = refused(&url, &self.settings.allowed_hosts) {
            return Err(never(refusal));
        }
        let post = self.client.post(url).json(&payload::payload(&message.content));
        let request = post.build().map_err(|error| never(error.without_url()))?;
        let answer = ask(&self.client, request, Scope::Endpoint).await?;
        Ok(Outcome::new(answer::kind(&answer, message.at), answer.reply()))
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

    /// Chats have no provider of their own that could be down.
    async fn probe(&self) -> Result<(), Outcome> {
        Ok(())
    }
}
