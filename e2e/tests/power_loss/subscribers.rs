//! Subscriptions of every protocol that come, are confirmed and go or stay, while the program is traced.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use orderbell_e2e::client::Client;
use orderbell_e2e::receiver::{Received, Receiver};
use orderbell_e2e::twilio::PUBLIC_URL;
use orderbell_e2e::wait;
use serde_json::Value;

/// How many of each protocol one after the other.
const ROUNDS: usize = 2;
/// How long a confirmed subscription stays.
const STAY: Duration = Duration::from_millis(150);

/// Where subscribers are reached.
#[derive(Debug, Clone)]
pub(crate) struct Receivers {
    /// Webhooks and chats, a path each.
    pub(crate) web: Arc<Receiver>,
    /// The provider of text messages, which holds them.
    pub(crate) twilio: Arc<Receiver>,
}

/// Subscribes over every protocol by turns; of two, one goes again. `name` is two digits.
pub(crate) async fn come_and_go(client: Client, receivers: Receivers, name: String) -> Result<()> {
    for round in 0..ROUNDS {
        let place = format!("/{name}/{round}");
        let telephone = format!("+1202555{name}{round:02}");
        for (number, (protocol, endpoint)) in [
            ("webhook", receivers.web.url(&format!("{place}/hook"))),
            ("sms", telephone),
            ("chat", receivers.web.url(&format!("{place}/chat"))),
            ("email", format!("reader-{name}-{round}@example.com")),
        ]
        .into_iter()
        .enumerate()
        {
            let id = subscribe(&client, &receivers, protocol, &endpoint).await?;
            tokio::time::sleep(STAY).await;
            if (round + number).is_multiple_of(2) {
                client.delete(&format!("/subscriptions/{id}")).await?;
                client.wait_for_subscription(&id, "ended").await?;
            }
        }
    }
    Ok(())
}

/// Subscribes and confirms; gives the subscription's id.
async fn subscribe(client: &Client, receivers: &Receivers, protocol: &str, endpoint: &str) -> Result<String> {
    let subscription = client.subscribe(protocol, endpoint).await?;
    let id = subscription["subscriptionId"].as_str().context("a subscriptionId")?.to_owned();
    let link = match protocol {
        "sms" => Some(link_to(&receivers.twilio, endpoint).await?),
        "chat" => Some(link_to(&receivers.web, endpoint).await?),
        "email" => client.wait_for_message(endpoint, "").await?["link"].as_str().map(str::to_owned),
        _ => None,
    };
    if let Some(link) = link {
        client.press(&link).await?.expect(200)?;
    }
    client.wait_for_subscription(&id, "confirmed").await?;
    Ok(id)
}

/// The link that confirms, from the message that a receiver got for `endpoint`.
async fn link_to(receiver: &Receiver, endpoint: &str) -> Result<String> {
    let is_for_it = |received: &Received| {
        receiver.url(&received.path) == endpoint || field(received, "To").is_some_and(|to| to == endpoint)
    };
    let link = async || Ok(receiver.received().iter().filter(|it| is_for_it(it)).find_map(link_in));
    wait::until(&format!("a link for {endpoint}"), link).await
}

fn link_in(received: &Received) -> Option<String> {
    let post = || received.json()["blocks"].as_array().map(|blocks| Value::from(blocks.clone()).to_string());
    let text = field(received, "Body").or_else(post)?;
    let (_, rest) = text.split_once("/subscriptions/confirm?token=")?;
    let token = rest.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).next()?;
    Some(format!("{PUBLIC_URL}/subscriptions/confirm?token={token}"))
}

/// A field of a form.
pub(crate) fn field(received: &Received, name: &str) -> Option<String> {
    let mut fields = url::form_urlencoded::parse(received.body.as_bytes());
    fields.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
