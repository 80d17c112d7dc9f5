//! A process that ran out of file descriptors, and what its channels say of that. It is a process of its own, since
//! whoever shares it has none either.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "channels/fixtures.rs"]
#[expect(dead_code, reason = "shared with the channels' other tests")]
mod fixtures;

use std::fs::File;

use application::ports::{Channel, Message};
use domain::attempt::{OutcomeKind, Scope};
use domain::endpoint::Protocol;
use orderbell_channels::Secret;
use orderbell_channels::chat::{Chat, ChatSettings};
use orderbell_channels::email::{Email, SmtpSettings};
use orderbell_channels::sms::sns::{AwsKeys, Sns, SnsSettings};
use orderbell_channels::sms::twilio::{Sender, Twilio, TwilioSettings};
use orderbell_channels::sms::{SmsSettings, TextRules};
use orderbell_channels::webhook::{Webhook, WebhookSettings};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use fixtures::{TIMEOUT, mail, message, notification, plain_relay, rules, text_message};

/// Enough for the runtime and the test's own files.
const LIMIT: u64 = 64;

/// Every descriptor there is, until it is dropped.
fn all_descriptors() -> Vec<File> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(LIMIT), ..limit }).unwrap();
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

fn sms() -> SmsSettings {
    let text = TextRules { max_parts: std::num::NonZeroU8::MIN, unsubscribe_link: false };
    SmsSettings { text, timeout: TIMEOUT, rules: rules() }
}

fn twilio(host: &str) -> Twilio {
    Twilio::new(TwilioSettings {
        api_url: format!("http://{host}:9").parse().unwrap(),
        account_sid: "AC00000000000000000000000000000000".parse().unwrap(),
        auth_token: Some(Secret::new("token".to_owned())),
        api_key: None,
        sender: Sender::From("+14155550100".to_owned()),
        sms: sms(),
    })
    .unwrap()
}

fn sns(host: &str) -> Sns {
    let keys = AwsKeys {
        access_key_id: "key".to_owned(),
        secret_access_key: Secret::new("secret".to_owned()),
        session_token: None,
    };
    let endpoint_url = Some(format!("http://{host}:9"));
    Sns::new(SnsSettings {
        region: "eu-central-1".to_owned(),
        keys,
        endpoint_url,
        sender_id: None,
        sms: sms(),
    })
}

/// Each channel, and a message for it: to an address, and to a name.
fn channels() -> Vec<(Box<dyn Channel>, Message)> {
    let allowed_hosts = || vec!["127.0.0.0/8".parse().unwrap(), "localhost".parse().unwrap()];
    let mut channels: Vec<(Box<dyn Channel>, Message)> = Vec::new();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:9/hook");
        let webhook =
            WebhookSettings { allowed_hosts: allowed_hosts(), ca: None, timeout: TIMEOUT, rules: rules() };
        let chat =
            ChatSettings { allowed_hosts: allowed_hosts(), ca: None, timeout: TIMEOUT, rules: rules() };
        let relay = SmtpSettings { host: host.to_owned(), ..plain_relay(9) };
        channels.push((
            Box::new(Webhook::new(webhook).unwrap()),
            message(Protocol::Webhook, &url, notification()),
        ));
        channels.push((Box::new(Chat::new(chat).unwrap()), message(Protocol::Chat, &url, notification())));
        channels.push((Box::new(Email::new(relay).unwrap()), mail()));
        channels.push((Box::new(twilio(host)), text_message(notification())));
        channels.push((Box::new(sns(host)), text_message(notification())));
    }
    channels
}

#[tokio::test]
async fn want_of_descriptors_is_no_receivers_failure_and_ends_with_the_want() {
    let channels = channels();
    let taken = all_descriptors();
    let mut sent = Vec::new();
    for (channel, message) in &channels {
        sent.push((channel.send(message).await.outcome, channel.probe().await));
    }
    drop(taken);
    for ((channel, message), (outcome, probed)) in channels.iter().zip(sent) {
        let told = format!("{}: {} / {probed:?}", message.endpoint.masked(), outcome.reply);
        assert_eq!(outcome.kind, OutcomeKind::Transient(Scope::Channel), "{told}");
        assert!(outcome.reply.contains("this machine has no file descriptors left"), "{told}");
        assert!(probed.is_err_and(|still| still.reply.contains("no file descriptors left")), "{told}");
        if !channel.protocol().has_provider() {
            assert_eq!(channel.probe().await, Ok(()));
        }
    }
}
