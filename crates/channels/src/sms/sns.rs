//! Text messages by SNS's direct publish.
//!
//! Source: AWS, `Publish` in the Amazon SNS API Reference, and "Publishing to a mobile phone" in its Developer Guide.

mod connect;
mod failure;
mod opt_out;

use application::ports::{Channel, ChannelRules, Message, Sent};
use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::MessageAttributeValue;
use domain::attempt::{Outcome, OutcomeKind};
use domain::endpoint::{Endpoint, PhoneNumber, Protocol};
use domain::sms_text::parts;

pub use connect::{AwsKeys, SnsSettings};

use super::{compose, without_number};
use crate::outcomes::never;

use opt_out::OptOuts;

/// The longest message that SNS takes, in bytes of UTF-8.
const MAX_BYTES: usize = 1_600;
/// The message says what its receiver waits for: the most reliable route, and no quiet hours.
const SMS_TYPE: &str = "Transactional";

/// Sends text messages through SNS. `delivered` means that SNS accepted it; nothing tells what became of it.
pub struct Sns {
    settings: SnsSettings,
    client: Client,
    opt_outs: OptOuts,
}

impl Sns {
    /// Takes the settings; nothing is connected yet.
    #[must_use]
    pub fn new(settings: SnsSettings) -> Self {
        let client = connect::client(&settings);
        Self { settings, client, opt_outs: OptOuts::default() }
    }

    async fn hand_over(&self, message: &Message) -> Result<String, Outcome> {
        let Endpoint::Sms(number) = &message.endpoint else {
            return Err(never(format!("{} is no phone number", message.endpoint.masked())));
        };
        let rules = self.settings.sms.text;
        let text = compose(message, rules, rules.room().within(MAX_BYTES))?;
        let accepted = self.publish(number, &text).await;
        accepted.map_err(|outcome| without_number(&outcome, number))
    }

    async fn publish(&self, number: &PhoneNumber, text: &str) -> Result<String, Outcome> {
        let known = self.opt_outs.ask(&self.client, number).await?;
        let mut publish = self.client.publish().phone_number(number.to_string()).message(text);
        for (name, value) in self.attributes() {
            publish = publish.message_attributes(name, string(value).map_err(never)?);
        }
        let published = publish.send().await.map_err(|error| failure::outcome(&error))?;
        let Some(id) = published.message_id().filter(|id| !id.is_empty()) else {
            return Err(Outcome::new(OutcomeKind::Unknown, "SNS answered without a MessageId"));
        };
        Ok(format!("accepted as {id}, {}{}", parts(text), known.remark()))
    }

    fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let sender = self.settings.sender_id.as_deref().map(|id| ("AWS.SNS.SMS.SenderID", id));
        [("AWS.SNS.SMS.SMSType", SMS_TYPE)].into_iter().chain(sender)
    }
}

fn string(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}

#[async_trait]
impl Channel for Sns {
    fn protocol(&self) -> Protocol {
        Protocol::Sms
    }

    fn rules(&self) -> ChannelRules {
        self.settings.sms.rules
    }

    async fn send(&self, message: &Message) -> Sent {
        self.hand_over(message).await.into()
    }

    /// Asks for the account's settings of text messages.
    async fn probe(&self) -> Result<(), Outcome> {
        match self.client.get_sms_attributes().send().await {
            Ok(_) => Ok(()),
            Err(error) => failure::to_probe(&error),
        }
    }
}
