//! Text messages by Twilio's Messages API.
//!
//! Source: Twilio, "Messages resource" and "Usage: API responses" in the REST API reference.

pub mod callback;
mod response;
mod settings;
pub mod signature;

use application::ports::{Channel, ChannelRules, Message, Sent};
use async_trait::async_trait;
use domain::attempt::{Outcome, Scope};
use domain::endpoint::{Endpoint, PhoneNumber, Protocol};
use domain::sms_text::parts;
use reqwest::{Client, RequestBuilder};
use url::Url;

pub use settings::{AccountSid, ApiKey, ApiUrl, Sender, TwilioSettings};

use super::{compose, without_number};
use crate::http::{ClientBuildError, blocked_address, client, execute};
use crate::outcomes::never;

/// Sends text messages through Twilio. `delivered` means that Twilio accepted it; what became of it, its callback tells.
pub struct Twilio {
    settings: TwilioSettings,
    messages: String,
    client: Client,
}

impl Twilio {
    /// Takes the settings; nothing is connected yet.
    ///
    /// # Errors
    /// The HTTP client could not be made.
    pub fn new(settings: TwilioSettings) -> Result<Self, ClientBuildError> {
        let client = client(settings.sms.timeout)?;
        let messages = settings.api_url.messages_of(&settings.account_sid);
        Ok(Self { settings, messages, client })
    }

    async fn hand_over(&self, message: &Message) -> Result<String, Outcome> {
        let Endpoint::Sms(number) = &message.endpoint else {
            return Err(never(format!("{} is no phone number", message.endpoint.masked())));
        };
        let rules = self.settings.sms.text;
        let body = compose(message, rules, rules.room())?;
        let form = self.form(number, &body, &message.receipt_url);
        let request = self.signed_in(self.client.post(&self.messages).form(&form));
        let request = request.build().map_err(|error| never(error.without_url()))?;
        let response = execute(&self.client, request, Scope::Channel).await?;
        response::classify_created(&response, parts(&body), message.at)
            .map_err(|outcome| without_number(&outcome, number))
    }

    fn form(&self, to: &PhoneNumber, body: &str, receipt_url: &str) -> Vec<(&'static str, String)> {
        let sender = match &self.settings.sender {
            Sender::From(number) => ("From", number.clone()),
            Sender::MessagingService(sid) => ("MessagingServiceSid", sid.clone()),
        };
        let mut form = vec![("To", to.to_string()), sender, ("Body", body.to_owned())];
        if self.can_be_called_back(receipt_url) {
            form.push(("StatusCallback", receipt_url.to_owned()));
        }
        form
    }

    /// Twilio refuses a message whose callback leads to no public address, and without the token its callbacks could not
    /// be told from anyone's.
    fn can_be_called_back(&self, url: &str) -> bool {
        let public = |url: Url| blocked_address(&url, &[]).is_none();
        self.settings.auth_token.is_some() && Url::parse(url).is_ok_and(public)
    }

    fn signed_in(&self, request: RequestBuilder) -> RequestBuilder {
        match (&self.settings.api_key, &self.settings.auth_token) {
            (Some(key), _) => request.basic_auth(&key.sid, Some(key.secret.reveal())),
            (None, token) => {
                let token = token.as_ref().map(crate::Secret::reveal);
                request.basic_auth(self.settings.account_sid.as_str(), token)
            }
        }
    }
}

#[async_trait]
impl Channel for Twilio {
    fn protocol(&self) -> Protocol {
        Protocol::Sms
    }

    fn rules(&self) -> ChannelRules {
        self.settings.sms.rules
    }

    async fn send(&self, message: &Message) -> Sent {
        self.hand_over(message).await.into()
    }

    /// Asks for one message of the account: what every kind of key may read, where the account itself is closed to all
    /// but the main ones.
    async fn probe(&self) -> Result<(), Outcome> {
        let request = self.signed_in(self.client.get(&self.messages).query(&[("PageSize", "1")]));
        let request = request.build().map_err(|error| never(error.without_url()))?;
        response::classify_probe(&execute(&self.client, request, Scope::Channel).await?)
    }
}
