//! The promises against real receivers: other people's servers, and other people's libraries in another language.
//!
//! What these cannot show — refusals, silence, lost lines — the scripted peers do.

mod prism;
mod python;

use std::env;
use std::time::Duration;

use application::ports::{Channel, Content, Message};
use domain::attempt::{OutcomeKind, Scope};
use domain::endpoint::Protocol;
use domain::reader::Reader;
use domain::webhook_secret::WebhookSecret;
use e2e::smtp_peer::{self, SmtpPeer};
use orderbell_channels::Secret;
use orderbell_channels::email::{Credentials, Email, SmtpAuth, SmtpSettings, TlsMode};
use orderbell_channels::sms::sns::Sns;
use orderbell_channels::sms::twilio::{Twilio, signature};
use serde_json::{Value, json};

use crate::chat::{large_orders, posted};
use crate::fixtures::{
    confirmation, mail, message, notice, notification, notification_of, order, plain_relay, secret,
    text_message,
};
use crate::http_receiver::{Reaction, Receiver};
use crate::promises::{delivers_once_an_attempt, refuses_another_protocols_message};
use crate::sms::{ACCOUNT, AUTH_TOKEN, sns_settings, twilio, twilio_settings};
use crate::webhook::webhook;

use prism::Prism;
use python::ask;

/// Other people's servers take their time for a first answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// Every kind of message there is.
fn messages() -> [Content; 5] {
    let strange = order("<Jane> & \"Doe\"", &"📦 & <Mouse> ".repeat(20));
    [notification(), notification_of(strange), confirmation(), notice(), Content::Test]
}

#[tokio::test]
async fn mail_by_starttls_and_a_login_keeps_the_promises() {
    let peer = SmtpPeer::start(smtp_peer::Tls::Starttls).unwrap();
    let email = Email::new(SmtpSettings {
        tls: TlsMode::StartTls,
        ca: Some(std::fs::read(peer.certificate().authority()).unwrap()),
        credentials: Some(Credentials {
            user: smtp_peer::USERNAME.to_owned(),
            auth: SmtpAuth::Password(Secret::new(smtp_peer::PASSWORD.to_owned())),
        }),
        timeout: TIMEOUT,
        ..plain_relay(peer.port())
    })
    .unwrap();
    let message = mail();
    let id = message.id.to_string();
    let names_it =
        |mail: &smtp_peer::Mail| mail.header("Message-ID").is_some_and(|value| value.contains(&id));
    let arrived = async || peer.mails().unwrap().iter().map(names_it).collect();
    delivers_once_an_attempt(&email, &message, arrived).await;
    refuses_another_protocols_message(&email).await;
    assert!(peer.counts().unwrap().logins.accepted > 0);
}

#[tokio::test]
async fn a_webhook_is_verified_by_the_reference_library_with_either_secret_of_a_rotation() {
    let receiver = Receiver::start([]).await;
    let [current, previous, stranger] = [[7; 32], [8; 32], [9; 32]].map(WebhookSecret::new);
    let secrets = vec![current.clone(), previous.clone()];
    let message = Message { secrets, ..message(Protocol::Webhook, &receiver.url(), notification()) };
    assert_eq!(webhook().send(&message).await.outcome.kind, OutcomeKind::Delivered);
    let request = receiver.received().remove(0);
    let verify = |secret: &WebhookSecret| {
        let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers: Value = headers.map(|name| (name, request.header(name))).into_iter().collect();
        let body = String::from_utf8(request.body.clone()).unwrap();
        ask("verify_webhook.py", &json!({"secret": secret.reveal(), "headers": headers, "body": body}))
    };
    assert!(verify(&current).is_ok() && verify(&previous).is_ok());
    assert!(verify(&stranger).is_err());
    assert_eq!(current, secret());
}

#[tokio::test]
async fn twilios_own_description_of_its_api_takes_what_we_ask() {
    let prism = Prism::start().await;
    let to_probe = Reaction::Answer("200 OK", "{}".to_owned());
    let receiver = Receiver::start_with(Reaction::Forward(prism.port), [to_probe]).await;
    let mut settings = twilio_settings(&receiver.api());
    settings.sms.timeout = TIMEOUT;
    let channel = Twilio::new(settings).unwrap();
    let message = text_message(notification());
    let id = message.id.to_string();
    let arrivals = async || {
        let requests = receiver.received();
        let posts = requests.iter().filter(|request| request.request_line.starts_with("POST "));
        posts.map(|request| request.form()["StatusCallback"].ends_with(&id)).collect()
    };
    delivers_once_an_attempt(&channel, &message, arrivals).await;
    refuses_another_protocols_message(&channel).await;
    for content in messages() {
        let outcome = channel.send(&text_message(content)).await.outcome;
        assert_eq!(outcome.kind, OutcomeKind::Delivered, "{}", outcome.reply);
        assert_eq!(outcome.reply, format!("accepted as {}, 1 segment", ACCOUNT.replacen("AC", "SM", 1)));
    }
}

#[tokio::test]
async fn the_description_refuses_what_it_does_not_describe() {
    let prism = Prism::start().await;
    let mut message = text_message(notification());
    "https://orders.example/receipts/a b|c".clone_into(&mut message.receipt_url);
    let outcome = twilio(&format!("http://127.0.0.1:{}", prism.port)).send(&message).await.outcome;
    assert!(outcome.reply.starts_with("422 "), "{}", outcome.reply);
}

#[tokio::test]
async fn callbacks_are_signed_and_checked_as_twilios_own_library_does() {
    let forms = [
        vec![("MessageSid", "SM1"), ("MessageStatus", "delivered"), ("To", "+4915112345678")],
        vec![("b", "2"), ("a", "1"), ("b", "1"), ("b", "2"), ("B", ""), ("ä", "📦 & +")],
        vec![],
    ];
    let urls = [
        "https://orders.example/receipts/0199?x=1&y=%20",
        "https://orders.example:443/receipts/1",
        "https://orders.example:8443/receipts/1",
        "http://orders.example",
    ];
    let token = Secret::new(AUTH_TOKEN.to_owned());
    for (form, url) in forms.iter().flat_map(|form| urls.map(|url| (form, url))) {
        let fields: Vec<_> =
            form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let ours = signature::sign(&token, url, &fields);
        let question = json!({"token": AUTH_TOKEN, "url": url, "fields": form, "signature": ours});
        let answer = ask("twilio_signature.py", &question).unwrap();
        assert_eq!(answer["valid"], true, "{url} {form:?}");
        let theirs = answer["signature"].as_str().unwrap();
        assert!(signature::verify(&token, url, &fields, theirs), "{url} {form:?}");
        let forged = signature::sign(&Secret::new("another token".to_owned()), url, &fields);
        let question = json!({"token": AUTH_TOKEN, "url": url, "fields": form, "signature": forged});
        assert_eq!(ask("twilio_signature.py", &question).unwrap()["valid"], false);
        assert!(!signature::verify(&token, url, &fields, &forged));
    }
}

#[tokio::test]
async fn sns_as_moto_has_it_takes_what_we_publish() {
    let moto = env::var("ORDERBELL_TEST_MOTO").expect("`cargo xtask emulators -- COMMAND` sets it");
    let mut settings = sns_settings(&moto);
    settings.sms.timeout = TIMEOUT;
    let sns = Sns::new(settings);
    let message = text_message(notification());
    let text = message.content.text(&Reader::default());
    let number = message.endpoint.to_string();
    let arrivals = async || {
        let sent = moto_has(&moto).await;
        let ours = sent.iter().filter(|sms| sms["message"] == text);
        ours.map(|sms| sms["phone_number"] == number).collect()
    };
    delivers_once_an_attempt(&sns, &message, arrivals).await;
    refuses_another_protocols_message(&sns).await;
    for content in messages() {
        let outcome = sns.send(&text_message(content)).await.outcome;
        assert_eq!(outcome.kind, OutcomeKind::Delivered, "{}", outcome.reply);
    }
}

#[tokio::test]
async fn sns_as_moto_has_it_tells_who_opted_out() {
    // Every number that ends in 99, as moto has it.
    const STOPPED: &str = "+4915112345699";
    let moto = env::var("ORDERBELL_TEST_MOTO").expect("`cargo xtask emulators -- COMMAND` sets it");
    let mut settings = sns_settings(&moto);
    settings.sms.timeout = TIMEOUT;
    let outcome = Sns::new(settings).send(&message(Protocol::Sms, STOPPED, notification())).await.outcome;
    assert_eq!(outcome.kind, OutcomeKind::Permanent(Scope::Endpoint), "{}", outcome.reply);
    assert!(moto_has(&moto).await.iter().all(|sms| sms["phone_number"] != STOPPED));
}

/// The text messages that moto keeps of all accounts.
async fn moto_has(moto: &str) -> Vec<Value> {
    let url = format!("{moto}/moto-api/data.json");
    let data: Value = e2e::client::http().unwrap().get(url).send().await.unwrap().json().await.unwrap();
    data["sns"]["SMS"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn what_is_posted_to_chats_is_what_slacks_own_library_knows() {
    let mut payloads = Vec::new();
    let large = large_orders().into_iter().map(notification_of);
    for content in messages().into_iter().chain(large) {
        payloads.push(posted(content).await);
    }
    ask("slack_payload.py", &Value::Array(payloads.clone())).unwrap();
    payloads[0]["blocks"][0]["text"]["text"] = Value::String("x".repeat(151));
    assert!(ask("slack_payload.py", &Value::Array(payloads)).is_err(), "it knows the limits");
}
