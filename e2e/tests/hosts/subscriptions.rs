//! Managing subscriptions through the routes.

use std::time::Duration;

use anyhow::{Context, Result};
use orderbell_e2e::deployment::Deployment;
use orderbell_e2e::receiver::Receiver;
use serde_json::{Value, json};

fn id(subscription: &Value) -> Result<&str> {
    subscription["subscriptionId"].as_str().context("a subscriptionId")
}

pub(crate) async fn a_subscription_is_made_listed_and_shown(host: &Deployment) -> Result<()> {
    let receiver = Receiver::start().await?;
    let policy = json!({"currency": ["EUR"]});
    let made = host.subscribe(&receiver, "/hook", Some(policy.clone())).await?;
    host.subscribe(&receiver, "/other", None).await?;
    let client = host.client()?;
    let listed = client.list("/subscriptions").await?;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|one| one["subscriptionId"] == made["subscriptionId"]), "{listed:#?}");
    let shown = client.get(&format!("/subscriptions/{}", id(&made)?)).await?.expect(200)?;
    assert_eq!((&shown["protocol"], &shown["endpoint"]), (&json!("webhook"), &json!(receiver.url("/hook"))));
    assert_eq!((&shown["filterPolicy"], &shown["state"]), (&policy, &json!("confirmed")));
    assert_eq!(shown["secret"], Value::Null, "a secret is shown once, if at all");
    Ok(())
}

pub(crate) async fn subscribing_again_finds_the_same_subscription(host: &Deployment) -> Result<()> {
    let receiver = Receiver::start().await?;
    let made = host.subscribe(&receiver, "/hook", None).await?;
    let client = host.client()?;
    let same = json!({"protocol": "webhook", "endpoint": receiver.url("/hook")});
    let again = client.post("/subscriptions", &same).await?.expect(200)?;
    assert_eq!(again["subscriptionId"], made["subscriptionId"]);
    let mut other = same;
    other["filterPolicy"] = json!({"currency": ["EUR"]});
    client.post("/subscriptions", &other).await?.expect(409)?;
    assert_eq!(client.list("/subscriptions").await?.len(), 1);
    Ok(())
}

pub(crate) async fn who_unsubscribed_is_told_no_more(host: &Deployment) -> Result<()> {
    let (stays, goes) = (Receiver::start().await?, Receiver::start().await?);
    host.subscribe(&stays, "/hook", None).await?;
    let going = host.subscribe(&goes, "/hook", None).await?;
    let client = host.client()?;
    client.place_order("Ada", "Mouse").await?;
    goes.wait_for_notifications(1).await?;
    let ended = client.delete(&format!("/subscriptions/{}", id(&going)?)).await?.expect(200)?;
    assert_eq!(ended["state"], "ended");
    client.place_order("Ada", "Keyboard").await?;
    stays.wait_for_notifications(2).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(goes.notifications().len(), 1);
    Ok(())
}

pub(crate) async fn a_changed_filter_policy_holds_for_later_orders(host: &Deployment) -> Result<()> {
    let receiver = Receiver::start().await?;
    let made = host.subscribe(&receiver, "/hook", None).await?;
    let client = host.client()?;
    client.place_order("Ada", "Mouse").await?;
    receiver.wait_for_notifications(1).await?;
    let path = format!("/subscriptions/{}", id(&made)?);
    let policy = json!({"filterPolicy": {"productName": ["Pad"]}});
    let changed = client.patch(&path, &policy).await?.expect(200)?;
    assert_eq!(changed["filterPolicy"], policy["filterPolicy"]);
    client.place_order("Ada", "Mouse").await?;
    let pad = client.place_order("Ada", "Pad").await?;
    let second = receiver.wait_for_notifications(2).await?.remove(1);
    assert_eq!(host.notification(&second)?["data"]["orderId"], pad);
    let removed = client.patch(&path, &json!({"filterPolicy": null})).await?.expect(200)?;
    assert_eq!(removed["filterPolicy"], Value::Null);
    client.place_order("Ada", "Mouse").await?;
    receiver.wait_for_notifications(3).await?;
    Ok(())
}

pub(crate) async fn an_address_that_is_none_is_refused(host: &Deployment) -> Result<()> {
    let client = host.client()?;
    let wrong = [
        json!({"protocol": "webhook", "endpoint": "not a URL"}),
        json!({"protocol": "pigeon", "endpoint": "https://shop.example/hook"}),
        json!({"protocol": "email", "endpoint": "nobody"}),
        json!({"protocol": "webhook"}),
        json!({"protocol": "webhook", "endpoint": "https://shop.example/hook", "filterPolicy": {"a": "b"}}),
    ];
    for subscription in wrong {
        client
            .post("/subscriptions", &subscription)
            .await?
            .expect(400)
            .with_context(|| subscription.to_string())?;
    }
    assert_eq!(client.list("/subscriptions").await?, Vec::<Value>::new());
    Ok(())
}

pub(crate) async fn a_subscription_that_is_not_there_is_not_found(host: &Deployment) -> Result<()> {
    let client = host.client()?;
    let path = "/subscriptions/0197f5a2-0000-7000-8000-000000000000";
    for answer in [client.get(path).await?, client.delete(path).await?] {
        assert_eq!(answer.expect(404)?["code"], "subscription_not_found");
    }
    Ok(())
}
