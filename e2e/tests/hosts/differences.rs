//! What is not the same on both hosts: each row of the table in `ARCHITECTURE.md` that can be seen from outside.

use anyhow::{Context, Result};
use orderbell_e2e::deployment::Deployment;
use orderbell_e2e::receiver::Receiver;
use reqwest::Method;
use serde_json::{Value, json};

/// What only the one machine serves: its own delivery, the pages of its own confirmations, its inbox, its metrics.
const ONLY_ON_ONE_MACHINE: [&str; 6] = [
    "/deliveries",
    "/deliveries/0197f5a2-0000-7000-8000-000000000000",
    "/inbox",
    "/metrics",
    "/subscriptions/confirm?token=x",
    "/subscriptions/unsubscribe?token=x",
];

#[tokio::test]
async fn what_sns_does_in_its_own_way_is_answered_501_on_aws() -> Result<()> {
    let host = Deployment::aws().await?;
    let client = host.client()?;
    for path in ONLY_ON_ONE_MACHINE {
        let answer = client.get(path).await?;
        assert_eq!(answer.status, 501, "{path}: {}", answer.body);
        if !path.starts_with("/subscriptions/") {
            assert_eq!(answer.json()["code"], "not_on_this_host", "{path}");
        }
    }
    let dead = client.post("/deliveries/redrive", &json!({"state": "dead"})).await?;
    assert_eq!(dead.expect(501)?["code"], "not_on_this_host");
    let unknown = "0197f5a2-0000-7000-8000-000000000000";
    for verb in ["suspend", "resume", "rotate-secret", "test"] {
        let answer = client.post(&format!("/subscriptions/{unknown}/{verb}"), &json!({})).await?;
        assert_eq!(answer.expect(501)?["code"], "not_on_this_host", "{verb}");
    }
    let seen = client.post(&format!("/orders/{unknown}/status"), &json!({"status": "acknowledged"})).await?;
    assert_eq!(seen.expect(501)?["code"], "not_on_this_host");
    for path in [format!("/deliveries/{unknown}/drop"), format!("/receipts/{unknown}?attempt=1")] {
        assert_eq!(client.post(&path, &json!({})).await?.expect(501)?["code"], "not_on_this_host", "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn what_sns_has_no_attribute_for_is_refused_on_aws() -> Result<()> {
    let host = Deployment::aws().await?;
    let client = host.client()?;
    for (attribute, value) in [
        ("maxReceivesPerSecond", json!(5)),
        ("fields", json!(["items"])),
        ("receives", json!("notices")),
        ("language", json!("de")),
        ("timeZone", json!("Europe/Berlin")),
    ] {
        let body = json!({"protocol": "email", "endpoint": "ada@example.com", attribute: value});
        let refused = client.post("/subscriptions", &body).await?.expect(400)?;
        assert_eq!((&refused["code"], &refused["field"]), (&json!("not_on_this_host"), &json!(attribute)));
    }
    for (name, body) in [("chat", json!({"text": "a"})), ("email", json!({"html": "<p>a</p>"}))] {
        let put = client.request(Method::PUT, &format!("/templates/{name}")).json(&body);
        assert_eq!(client.send(put).await?.expect(501)?["code"], "not_on_this_host", "{name}");
    }
    let chat = json!({"protocol": "chat", "endpoint": "https://hooks.slack.example/services/x"});
    assert_eq!(client.post("/subscriptions", &chat).await?.expect(400)?["code"], "channel_not_configured");
    Ok(())
}

#[tokio::test]
async fn what_sns_does_in_its_own_way_is_served_on_one_machine() -> Result<()> {
    let host = Deployment::one_machine().await?;
    let client = host.client()?;
    for path in ONLY_ON_ONE_MACHINE {
        assert_ne!(client.get(path).await?.status, 501, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn an_order_has_a_timeline_only_where_its_deliveries_are_ours() -> Result<()> {
    for (host, has_timeline) in [(Deployment::one_machine().await?, true), (Deployment::aws().await?, false)]
    {
        let client = host.client()?;
        let id = client.place_order("Ada", "Mouse").await?;
        assert_eq!(client.order(&id).await?["deliveries"].is_array(), has_timeline);
    }
    Ok(())
}

#[tokio::test]
async fn a_subscription_says_on_aws_only_what_sns_tells() -> Result<()> {
    let receiver = Receiver::start().await?;
    for (host, told) in [(Deployment::one_machine().await?, true), (Deployment::aws().await?, false)] {
        let made = host.subscribe(&receiver, "/hook", None).await?;
        assert_eq!(
            made["secret"].is_string(),
            told,
            "our webhooks are signed with a secret, SNS's with a certificate"
        );
        let path = format!("/subscriptions/{}", made["subscriptionId"].as_str().context("an id")?);
        let client = host.client()?;
        assert_eq!(client.get(&path).await?.expect(200)?["createdAt"].is_string(), told);
        client.delete(&path).await?.expect(200)?;
        assert_eq!(client.get(&path).await?.status == 200, told, "SNS forgets what ended");
    }
    Ok(())
}

#[tokio::test]
async fn a_webhook_gets_the_bare_notification_on_one_machine_and_sns_envelope_on_aws() -> Result<()> {
    for host in [Deployment::one_machine().await?, Deployment::aws().await?] {
        let receiver = Receiver::start().await?;
        host.subscribe(&receiver, "/hook", None).await?;
        host.client()?.place_order("Ada", "Mouse").await?;
        let message = receiver.wait_for_notifications(1).await?.remove(0);
        let is_bare = matches!(host, Deployment::OneMachine(_));
        assert_eq!(message.json()["type"] == "order.placed", is_bare);
        assert_eq!(!message.header("webhook-signature").is_empty(), is_bare);
        assert_eq!(message.json()["Type"], if is_bare { Value::Null } else { json!("Notification") });
    }
    Ok(())
}
