//! What a webhook's receiver gets, and how it confirms.

use application::ports::{Channel, Message, Sent};
use domain::attempt::{OutcomeKind, Scope};
use domain::endpoint::Protocol;
use domain::reader::Reader;
use orderbell_channels::webhook::{Webhook, WebhookSettings};

use crate::fixtures::{
    CHALLENGE, CONFIRM, TIMEOUT, confirmation, message, notification, notification_of, rules,
};
use crate::fixtures::{order, secret};
use crate::http_receiver::{Reaction, Receiver};

/// A channel that may call this machine.
pub(crate) fn webhook() -> Webhook {
    let allowed_hosts = vec!["127.0.0.0/8".parse().unwrap()];
    Webhook::new(WebhookSettings { allowed_hosts, ca: None, timeout: TIMEOUT, rules: rules() }).unwrap()
}

async fn asked(reaction: Reaction) -> Sent {
    let receiver = Receiver::start([reaction]).await;
    webhook().send(&message(Protocol::Webhook, &receiver.url(), confirmation())).await
}

fn json(value: &serde_json::Value) -> Reaction {
    Reaction::Answer("200 OK", value.to_string())
}

#[tokio::test]
async fn a_notification_is_posted_as_json() {
    let receiver = Receiver::start([Reaction::Answer("202 Accepted", "thanks".to_owned())]).await;
    let order = order("Jane Doe", "Wireless Mouse");
    let message = message(Protocol::Webhook, &receiver.url(), notification_of(order.clone()));
    let sent = webhook().send(&message).await;
    assert_eq!(
        (sent.outcome.kind, sent.outcome.reply.as_str()),
        (OutcomeKind::Delivered, "202 Accepted thanks")
    );
    let request = receiver.received().remove(0);
    assert_eq!(request.request_line, "POST /hook?key=1 HTTP/1.1");
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("user-agent"), concat!("Orderbell/", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        request.json(),
        serde_json::to_value(domain::notification::event(
            &order,
            domain::notification::text(&order, &Reader::default())
        ))
        .unwrap()
    );
}

#[tokio::test]
async fn a_request_is_signed_so_that_its_receiver_can_verify_it() {
    let receiver = Receiver::start([]).await;
    let message = message(Protocol::Webhook, &receiver.url(), notification());
    webhook().send(&message).await;
    let mut request = receiver.received().remove(0);
    assert_eq!(request.header("webhook-id"), message.id.to_string());
    assert_eq!(request.header("webhook-timestamp"), message.at.as_second().to_string());
    let verifier = standardwebhooks::Webhook::new(secret().reveal()).unwrap();
    verifier.verify(&request.body, &request.headers).unwrap();
    request.body.push(b' ');
    assert!(verifier.verify(&request.body, &request.headers).is_err());
}

#[tokio::test]
async fn a_message_without_a_secret_is_not_sent() {
    let receiver = Receiver::start([]).await;
    let unsigned =
        Message { secrets: Vec::new(), ..message(Protocol::Webhook, &receiver.url(), notification()) };
    let sent = webhook().send(&unsigned).await;
    assert_eq!(sent.outcome.kind, OutcomeKind::Permanent(Scope::Delivery));
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_receiver_confirms_by_repeating_the_challenge_in_its_own_field() {
    let receiver =
        Receiver::start([json(&serde_json::json!({ "confirmation": CHALLENGE, "more": 1 }))]).await;
    let message = message(Protocol::Webhook, &receiver.url(), confirmation());
    let sent = webhook().send(&message).await;
    assert_eq!((sent.outcome.kind, sent.confirmed), (OutcomeKind::Delivered, true));
    let request = receiver.received().remove(0);
    assert_eq!(
        request.json(),
        serde_json::json!({
            "type": "subscription.confirmation",
            "timestamp": message.at,
            "challenge": CHALLENGE,
            "confirmUrl": CONFIRM,
            "expiresAt": "2026-03-04T05:06:00Z",
        })
    );
    let verifier = standardwebhooks::Webhook::new(secret().reveal()).unwrap();
    verifier.verify(&request.body, &request.headers).unwrap();
}

#[tokio::test]
async fn the_answer_to_a_challenge_is_waited_for() {
    let yes = serde_json::json!({ "confirmation": CHALLENGE }).to_string();
    assert!(asked(Reaction::Late("200 OK", yes)).await.confirmed);
}

#[tokio::test]
async fn an_echo_does_not_confirm_itself() {
    let sent = asked(Reaction::Echo).await;
    assert_eq!((sent.outcome.kind, sent.confirmed), (OutcomeKind::Transient(Scope::Endpoint), false));
    let reply = "did not repeat the challenge in `confirmation`, but answered 200 OK";
    assert!(sent.outcome.reply.starts_with(reply), "{}", sent.outcome.reply);
}

#[tokio::test]
async fn nothing_but_the_exact_challenge_in_a_2xx_confirms() {
    let yes = serde_json::json!({ "confirmation": CHALLENGE });
    for reaction in [
        Reaction::Answer("200 OK", String::new()),
        Reaction::Answer("200 OK", CHALLENGE.to_owned()),
        json(&serde_json::json!({ "confirmation": "another" })),
        json(&serde_json::json!({ "confirmation": format!("{CHALLENGE} ") })),
        json(&serde_json::json!({ "confirmation": [CHALLENGE] })),
        json(&serde_json::json!({ "deeper": { "confirmation": CHALLENGE } })),
        json(&serde_json::json!({ "padding": "x".repeat(20_000), "confirmation": CHALLENGE })),
        Reaction::Answer("400 Bad Request", yes.to_string()),
        Reaction::AnswerWith("302 Found", "location: /elsewhere", yes.to_string()),
    ] {
        let sent = asked(reaction.clone()).await;
        assert_eq!(
            (sent.outcome.kind, sent.confirmed),
            (OutcomeKind::Transient(Scope::Endpoint), false),
            "{reaction:?}"
        );
    }
}

#[tokio::test]
async fn a_notification_never_confirms() {
    let receiver = Receiver::start([json(&serde_json::json!({ "confirmation": CHALLENGE }))]).await;
    let sent = webhook().send(&message(Protocol::Webhook, &receiver.url(), notification())).await;
    assert_eq!((sent.outcome.kind, sent.confirmed), (OutcomeKind::Delivered, false));
}
