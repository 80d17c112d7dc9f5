//! Subscriptions that come, are confirmed or not, and go or stay.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use orderbell_e2e::client::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::load::insist;
use crate::receivers::{Receivers, UNWILLING};

const BETWEEN_ARRIVALS: Duration = Duration::from_millis(500);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How long a confirmed subscription stays, in milliseconds; those that are there in the end stay for good.
const STAY: std::ops::Range<u64> = 1_500..9_000;

/// A subscription as its owner knows it.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// Its id, without hyphens.
    pub(crate) id: String,
    /// The path of its webhook, or its mail address.
    pub(crate) endpoint: String,
    /// From here on it may have been confirmed; `None`: nobody ever consented.
    pub(crate) consented: Option<Instant>,
    /// From here on it was known to be confirmed.
    pub(crate) confirmed: Option<Instant>,
    /// From here on it may have ended.
    pub(crate) leaving: Option<Instant>,
    /// From here on it was known to have ended.
    pub(crate) left: Option<Instant>,
}

/// Who subscribes, and what they do about the confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    WillingWebhook,
    UnwillingWebhook,
    Reader,
    Ignorer,
}

const KINDS: [Kind; 5] =
    [Kind::WillingWebhook, Kind::WillingWebhook, Kind::Reader, Kind::UnwillingWebhook, Kind::Ignorer];

#[derive(Clone)]
struct World {
    client: Client,
    receivers: String,
    is_up: watch::Receiver<bool>,
    stopping: watch::Receiver<bool>,
}

/// Starts the coming and going; in the end it gives all subscriptions that there were.
pub(crate) fn start(
    client: &Client,
    receivers: &Receivers,
    is_up: &watch::Receiver<bool>,
    stopping: &watch::Receiver<bool>,
) -> JoinHandle<Vec<Subscription>> {
    let (client, is_up, stopping) = (client.clone(), is_up.clone(), stopping.clone());
    let world = World { client, receivers: receivers.url().to_owned(), is_up, stopping };
    tokio::spawn(async move {
        let mut lives = JoinSet::new();
        for number in 0.. {
            if *world.stopping.borrow() {
                break;
            }
            lives.spawn(world.clone().live(KINDS[number % KINDS.len()], number));
            tokio::time::sleep(BETWEEN_ARRIVALS).await;
        }
        lives.join_all().await
    })
}

impl World {
    async fn live(mut self, kind: Kind, number: usize) -> Subscription {
        let endpoint = match kind {
            Kind::WillingWebhook => format!("/willing/{number}"),
            Kind::UnwillingWebhook => format!("{UNWILLING}{number}"),
            Kind::Reader | Kind::Ignorer => format!("reader-{number}@example.com"),
        };
        let asked = Instant::now();
        let id = insist(&self.is_up, || self.subscribe(kind, &endpoint)).await;
        let mut subscription = Subscription {
            id: id.replace('-', ""),
            endpoint,
            consented: None,
            confirmed: None,
            leaving: None,
            left: None,
        };
        match kind {
            Kind::WillingWebhook => subscription.consented = Some(asked),
            Kind::Reader => subscription.consented = self.press_the_button(&subscription.endpoint).await,
            Kind::UnwillingWebhook | Kind::Ignorer => return subscription,
        }
        if !self.wait_until_confirmed(&id).await {
            return subscription;
        }
        subscription.confirmed = Some(Instant::now());
        if self.wait(Duration::from_millis(fastrand::u64(STAY))).await {
            subscription.leaving = Some(Instant::now());
            insist(&self.is_up, || self.remove(&id)).await;
            subscription.left = Some(Instant::now());
        }
        subscription
    }

    async fn subscribe(&self, kind: Kind, endpoint: &str) -> Result<String> {
        let body = match kind {
            Kind::WillingWebhook | Kind::UnwillingWebhook => {
                json!({"protocol": "webhook", "endpoint": format!("{}{endpoint}", self.receivers)})
            }
            Kind::Reader | Kind::Ignorer => json!({"protocol": "email", "endpoint": endpoint}),
        };
        let answer = self.client.post("/subscriptions", &body).await?;
        ensure!(matches!(answer.status, 200 | 201), "subscribing was answered {}", answer.body);
        answer.json()["subscriptionId"].as_str().map(str::to_owned).context("a subscriptionId")
    }

    /// Confirms by the link in the sandbox's mail; gives the time from which that may have been done.
    async fn press_the_button(&mut self, address: &str) -> Option<Instant> {
        let link = loop {
            let messages = insist(&self.is_up, || self.newest_messages()).await;
            let message = messages.iter().find(|message| message["to"] == address);
            if let Some(link) = message.and_then(|message| message["link"].as_str()) {
                break link.to_owned();
            }
            if !self.wait(BETWEEN_LOOKS).await {
                return None;
            }
        };
        let pressed = Instant::now();
        let press = || async {
            let answer = self.client.press(&link).await?;
            ensure!(answer.status == 200, "the button was answered {}: {}", answer.status, answer.body);
            Ok(())
        };
        insist(&self.is_up, press).await;
        Some(pressed)
    }

    async fn newest_messages(&self) -> Result<Vec<Value>> {
        let mut page = self.client.get("/inbox?limit=100").await?.expect(200)?;
        Ok(std::mem::take(page["items"].as_array_mut().context("items")?))
    }

    async fn wait_until_confirmed(&mut self, id: &str) -> bool {
        loop {
            let state = insist(&self.is_up, || self.client.subscription_state(id)).await;
            if state == "confirmed" {
                return true;
            }
            if !self.wait(BETWEEN_LOOKS).await {
                return false;
            }
        }
    }

    async fn remove(&self, id: &str) -> Result<()> {
        let answer = self.client.delete(&format!("/subscriptions/{id}")).await?;
        ensure!(matches!(answer.status, 200 | 204), "removing was answered {}", answer.body);
        Ok(())
    }

    /// Waits that long; false if the test comes to its end before.
    async fn wait(&mut self, time: Duration) -> bool {
        let stopped = self.stopping.wait_for(|stopping| *stopping);
        tokio::time::timeout(time, stopped).await.is_err()
    }
}
