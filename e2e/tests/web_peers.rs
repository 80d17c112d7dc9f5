//! The webhook receiver and the browser that the scenarios use do what they ask of them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use orderbell_e2e::browser::Browser;
use orderbell_e2e::client::{Answer, Client};
use orderbell_e2e::receiver::{Consent, Receiver, Reply};
use orderbell_e2e::{process, signature, wait};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwbm9hZGVkIQ==";

async fn ask(receiver: &Receiver) -> Result<Answer> {
    let request = json!({"type": "subscription.confirmation", "challenge": "abc"});
    Client::new(&receiver.url(""), None)?.post("/hook", &request).await
}

#[tokio::test]
async fn a_receiver_answers_by_its_script_and_keeps_what_it_got() -> Result<()> {
    let receiver = Receiver::start().await?;
    receiver.answer([Reply::Status(500), Reply::RetryAfter(429, 7)], Reply::Status(200));
    let client = Client::new(&receiver.url(""), None)?;
    assert_eq!(client.post("/one", &json!({"n": 1})).await?.status, 500);
    let retry_after = client.post("/two", &json!({"n": 2})).await?;
    assert_eq!((retry_after.status, retry_after.headers["retry-after"].to_str()?), (429, "7"));
    assert_eq!(client.post("/three", &json!({"n": 3})).await?.status, 200);
    let requests = receiver.wait_for_notifications(3).await?;
    assert_eq!(requests[1].path, "/two");
    assert_eq!(requests[2].json(), json!({"n": 3}));
    Ok(())
}

#[tokio::test]
async fn a_receiver_can_hang() -> Result<()> {
    let receiver = Receiver::start().await?;
    receiver.answer([], Reply::Hang);
    let client = Client::new(&receiver.url(""), None)?;
    let waited = tokio::time::timeout(Duration::from_millis(200), client.post("/", &json!({}))).await;
    assert!(waited.is_err());
    assert_eq!(receiver.received().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_receiver_consents_only_when_it_is_told_to() -> Result<()> {
    let receiver = Receiver::start().await?;
    assert_eq!(ask(&receiver).await?.json(), json!({"confirmation": "abc"}));
    receiver.consent(Consent::Wrong);
    assert_ne!(ask(&receiver).await?.json(), json!({"confirmation": "abc"}));
    receiver.consent(Consent::Echoed);
    assert_eq!(ask(&receiver).await?.json()["challenge"], "abc");
    receiver.consent(Consent::Silent);
    assert_eq!(ask(&receiver).await?.body, "");
    assert!(receiver.notifications().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_signature_is_accepted_only_with_its_own_secret() -> Result<()> {
    let receiver = Receiver::start().await?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let body = r#"{"type":"order.placed"}"#;
    let signed = Webhook::new(SECRET)?.sign("msg_1", now, body.as_bytes())?;
    let client = Client::new(&receiver.url(""), None)?;
    let request = client.request(reqwest::Method::POST, "/").body(body);
    let headers =
        [("webhook-id", "msg_1"), ("webhook-timestamp", &now.to_string()), ("webhook-signature", &signed)];
    client
        .send(headers.into_iter().fold(request, |request, (name, value)| request.header(name, value)))
        .await?;
    let request = receiver.wait_for_notifications(1).await?.remove(0);
    signature::verify(SECRET, &request)?;
    assert!(signature::verify("whsec_NfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwbm9hZGVkIQ==", &request).is_err());
    Ok(())
}

#[tokio::test]
async fn a_browser_shows_a_page_and_leaves_nothing_behind() -> Result<()> {
    let browser = Browser::start(390, 844).await?;
    browser.page().goto("data:text/html,<title>Bell</title>").await?;
    assert_eq!(browser.page().title().await?, "Bell");
    let width = browser.page().execute("return window.innerWidth", Vec::new()).await?;
    assert_ne!(width, Value::Null);
    let processes = process::descendants(browser.id());
    assert!(!processes.is_empty());
    drop(browser);
    let ended = async || {
        let left = processes.iter().filter(|process| is_running(**process)).count();
        Ok((left == 0).then_some(()))
    };
    wait::until("the browser's processes end", ended).await
}

/// Whether a process runs: one that ended may still wait to be noticed by its parent.
fn is_running(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
