//! Webhook receivers in trouble, and those who are none of our business.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use orderbell_e2e::client::Client;
use orderbell_e2e::program::Program;
use orderbell_e2e::receiver::{Consent, Receiver, Reply};
use orderbell_e2e::{signature, wait};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

async fn start() -> Result<(Program, Client, Receiver)> {
    let mut settings = Receiver::settings();
    settings.push(("ORDERBELL_WEBHOOK_TIMEOUT_SECONDS", "2".to_owned()));
    let program = Program::start(settings).await?;
    let client = program.client()?;
    Ok((program, client, Receiver::start().await?))
}

/// Subscribes the receiver, which confirms by itself, and gives the signing secret.
async fn subscribe(client: &Client, receiver: &Receiver, path: &str) -> Result<(String, String)> {
    let subscription = client.subscribe("webhook", &receiver.url(path)).await?;
    let id = subscription["subscriptionId"].as_str().unwrap_or_default().to_owned();
    client.wait_for_subscription(&id, "confirmed").await?;
    Ok((id, subscription["secret"].as_str().unwrap_or_default().to_owned()))
}

async fn timeline_with(client: &Client, order: &str, attempts: usize) -> Result<Value> {
    let told = async || {
        let timeline = client.order(order).await?;
        let made = timeline["deliveries"][0]["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ended = made.iter().filter(|attempt| attempt["outcome"].is_string()).count();
        Ok((ended >= attempts).then_some(timeline))
    };
    wait::until(&format!("{attempts} attempts"), told).await
}

#[tokio::test]
async fn a_receiver_that_answers_the_challenge_gets_signed_notifications() -> Result<()> {
    let (_program, client, receiver) = start().await?;
    let (_, secret) = subscribe(&client, &receiver, "/hook").await?;
    let order = client.place_order("John Doe", "Wireless Mouse").await?;
    let notification = receiver.wait_for_notifications(1).await?.remove(0);
    signature::verify(&secret, &notification)?;
    let body = notification.json();
    assert_eq!((&body["type"], &body["data"]["orderId"]), (&json!("order.placed"), &json!(order)));
    let timeline = timeline_with(&client, &order, 1).await?;
    assert_eq!(notification.header("webhook-id"), timeline["deliveries"][0]["deliveryId"], "{timeline:#}");
    Ok(())
}

/// Answers the challenges that are signed with its secret, and 401 to all else; tells how often it said that.
async fn verifying(secret: &str) -> Result<(String, Arc<AtomicUsize>)> {
    let (verifier, refused) = (Arc::new(Webhook::new(secret)?), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&refused);
    let answer = async move |headers: HeaderMap, body: Bytes| {
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        if verifier.verify(&body, &headers).is_ok() {
            return Json(json!({"confirmation": request["challenge"]})).into_response();
        }
        counted.fetch_add(1, Ordering::Relaxed);
        StatusCode::UNAUTHORIZED.into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    Ok((url, refused))
}

#[tokio::test]
async fn a_receiver_that_verifies_signatures_is_subscribed_with_the_secret_that_it_has() -> Result<()> {
    let (program, client, _) = start().await?;
    // As editors and other programs leave them.
    for (number, (bytes, end)) in
        [(24, ""), (32, "\n"), (33, "\r\n"), (48, " \n"), (64, "\n\n")].into_iter().enumerate()
    {
        let secret = format!("whsec_{}", BASE64_STANDARD.encode(vec![0xA5; bytes]));
        let (url, refused) = verifying(&secret).await?;
        let file = program.data().join(format!("secret-{number}"));
        std::fs::write(&file, format!("{secret}{end}"))?;
        let file = file.display().to_string();
        let added = program.command(&["subscription", "add", "webhook", &url, "--secret-file", &file])?;
        assert!(added.status.success(), "{added:?}");
        assert!(!format!("{added:?}").contains("whsec_"), "who gave it knows it: {added:?}");
        client.wait_for_subscription(String::from_utf8(added.stdout)?.trim(), "confirmed").await?;
        assert_eq!(refused.load(Ordering::Relaxed), 0, "the first challenge is signed with it");
    }
    Ok(())
}

#[tokio::test]
async fn nobody_is_notified_who_does_not_repeat_the_challenge_in_its_own_field() -> Result<()> {
    for consent in [Consent::Echoed, Consent::Wrong, Consent::Silent] {
        let (_program, client, receiver) = start().await?;
        receiver.consent(consent);
        let subscription = client.subscribe("webhook", &receiver.url("/hook")).await?;
        let asked = async || Ok((!receiver.received().is_empty()).then_some(()));
        wait::until("the request comes", asked).await?;
        client.place_order("John Doe", "Wireless Mouse").await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let id = subscription["subscriptionId"].as_str().unwrap_or_default();
        assert_eq!(client.subscription_state(id).await?, "pending", "{consent:?}");
        assert!(receiver.notifications().is_empty(), "{consent:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_fails_is_called_again_under_the_same_id() -> Result<()> {
    let (_program, client, receiver) = start().await?;
    subscribe(&client, &receiver, "/hook").await?;
    receiver.answer([Reply::Status(500)], Reply::Status(200));
    let order = client.place_order("John Doe", "Wireless Mouse").await?;
    let timeline = timeline_with(&client, &order, 2).await?;
    let attempts = &timeline["deliveries"][0]["attempts"];
    assert_eq!(
        (&attempts[0]["outcome"], &attempts[1]["outcome"]),
        (&json!("transient"), &json!("delivered"))
    );
    let calls = receiver.wait_for_notifications(2).await?;
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_hangs_leaves_the_outcome_unknown_and_holds_up_no_other() -> Result<()> {
    let (_program, client, receiver) = start().await?;
    let healthy = Receiver::start().await?;
    subscribe(&client, &receiver, "/hook").await?;
    subscribe(&client, &healthy, "/hook").await?;
    receiver.answer([], Reply::Hang);
    let order = client.place_order("John Doe", "Wireless Mouse").await?;
    healthy.wait_for_notifications(1).await?;
    let hung = async || {
        let timeline = client.order(&order).await?;
        let deliveries = timeline["deliveries"].as_array().cloned().unwrap_or_default();
        Ok(deliveries.iter().any(|delivery| delivery["attempts"][0]["outcome"] == "unknown").then_some(()))
    };
    wait::until("the attempt that hangs is given up", hung).await
}

#[tokio::test]
async fn a_receiver_that_throttles_is_left_alone_and_no_attempt_is_used() -> Result<()> {
    let (_program, client, receiver) = start().await?;
    subscribe(&client, &receiver, "/hook").await?;
    receiver.answer([Reply::RetryAfter(429, 2)], Reply::Status(200));
    let order = client.place_order("John Doe", "Wireless Mouse").await?;
    let timeline = timeline_with(&client, &order, 2).await?;
    let delivery = &timeline["deliveries"][0];
    assert_eq!(delivery["attempts"][0]["outcome"], "throttled", "{timeline:#}");
    assert_eq!((&delivery["attempts"][0]["used"], &delivery["attemptsUsed"]), (&json!(false), &json!(1)));
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_says_410_is_never_called_again() -> Result<()> {
    let (_program, client, receiver) = start().await?;
    let (id, _) = subscribe(&client, &receiver, "/hook").await?;
    receiver.answer([], Reply::Status(410));
    client.place_order("John Doe", "Wireless Mouse").await?;
    client.wait_for_subscription(&id, "ended").await?;
    let later = client.place_order("John Doe", "Keyboard").await?;
    let published =
        async || Ok(Some(client.order(&later).await?).filter(|timeline| timeline["published"] == true));
    let timeline = wait::until("the next order is published", published).await?;
    assert_eq!(timeline["notMatched"][0]["because"], "ended");
    assert_eq!(receiver.notifications().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_filter_policy_decides_and_the_timeline_says_why() -> Result<()> {
    let (_program, client, receiver) = start().await?;
    let endpoint = receiver.url("/euro");
    let body = json!({"protocol": "webhook", "endpoint": endpoint, "filterPolicy": {"currency": ["EUR"]}});
    let subscription = client.post("/subscriptions", &body).await?.expect(201)?;
    client.wait_for_subscription(subscription["subscriptionId"].as_str().unwrap(), "confirmed").await?;
    let order = |currency: &str| json!({"customerName": "Jo", "productName": "Mouse", "currency": currency});
    let dollars = client.post("/create-order", &order("USD")).await?.expect(200)?;
    client.post("/create-order", &order("EUR")).await?.expect(200)?;
    receiver.wait_for_notifications(1).await?;
    let timeline = client.order(dollars["orderId"].as_str().unwrap()).await?;
    let why = &timeline["notMatched"][0];
    assert_eq!(
        (&why["because"], &why["subscriptions"][0]["mismatch"]["key"]),
        (&json!("filter_policy"), &json!("currency")),
        "{timeline:#}"
    );
    assert_eq!(receiver.notifications().len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_address_in_a_private_network_is_refused_unless_it_is_allowed_by_name() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let client = program.client()?;
    for endpoint in
        ["http://127.0.0.1:1/", "http://localhost/", "http://169.254.169.254/", "http://[::ffff:10.0.0.1]/"]
    {
        let answer =
            client.post("/subscriptions", &json!({"protocol": "webhook", "endpoint": endpoint})).await?;
        assert_eq!(answer.expect(400)?["code"], "endpoint_not_allowed", "{endpoint}");
    }
    Ok(())
}
