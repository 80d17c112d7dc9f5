//! Subscriptions that come, are confirmed or not, are changed now and then, and go or stay.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use domain::endpoint::Protocol;
use orderbell_e2e::client::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::load::insist;
use crate::operations;
use crate::receipts::Ledger;
use crate::subscription::Subscription;
use crate::web_receivers::{CHAT, UNWILLING};

const BETWEEN_ARRIVALS: Duration = Duration::from_millis(115);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How long a confirmed subscription stays, in milliseconds; those that are there in the end stay for good.
const STAY: std::ops::Range<u64> = 1_000..5_000;
/// How long one in so many stays by mail, which is tried again after 10 s at first: long enough to get a repeat.
const LONG_STAY: (usize, std::ops::Range<u64>) = (3, 15_000..25_000);
/// How long nothing is done to it at a time, in milliseconds.
const QUIET: std::ops::Range<u64> = 200..1_200;

/// Who subscribes: over what, and whether they consent.
const KINDS: [(Protocol, bool); 10] = [
    (Protocol::Webhook, true),
    (Protocol::Sms, true),
    (Protocol::Chat, true),
    (Protocol::Email, true),
    (Protocol::Webhook, false),
    (Protocol::Webhook, true),
    (Protocol::Sms, true),
    (Protocol::Chat, false),
    (Protocol::Sms, false),
    (Protocol::Email, false),
];

/// The first of [`KINDS`], one of each protocol, stay for good: however few the kills are, every channel is tried.
const STAYING: usize = Protocol::ALL.len();
/// How long these may take to be confirmed, while nothing misbehaves.
const LONGEST_CONFIRMING: Duration = Duration::from_mins(1);

/// What all subscribers know.
#[derive(Clone)]
pub(crate) struct World {
    /// The program, to an operator.
    pub(crate) client: Client,
    /// Where webhooks and chats are.
    pub(crate) web: String,
    /// What arrived.
    pub(crate) ledger: Ledger,
    /// Whether the program is up.
    pub(crate) is_up: watch::Receiver<bool>,
    /// Whether the test comes to its end.
    pub(crate) stopping: watch::Receiver<bool>,
    /// How many of those that stay for good are confirmed.
    pub(crate) settled: watch::Sender<usize>,
}

/// Waits until one of every protocol is confirmed.
pub(crate) async fn settle(mut settled: watch::Receiver<usize>) -> Result<()> {
    let all = settled.wait_for(|settled| *settled == STAYING);
    tokio::time::timeout(LONGEST_CONFIRMING, all)
        .await
        .context("not every channel was confirmed in time")??;
    Ok(())
}

/// Starts the coming and going; in the end it gives all subscriptions that there were.
pub(crate) fn start(world: World) -> JoinHandle<Vec<Subscription>> {
    tokio::spawn(async move {
        let mut lives = JoinSet::new();
        for number in 0.. {
            if *world.stopping.borrow() {
                break;
            }
            let (protocol, willing) = KINDS[number % KINDS.len()];
            lives.spawn(world.clone().live(protocol, willing, number));
            tokio::time::sleep(BETWEEN_ARRIVALS).await;
        }
        lives.join_all().await
    })
}

impl World {
    async fn live(mut self, protocol: Protocol, willing: bool, number: usize) -> Subscription {
        let endpoint = match protocol {
            Protocol::Webhook if willing => format!("/willing/{number}"),
            Protocol::Webhook => format!("{UNWILLING}{number}"),
            Protocol::Chat => format!("{CHAT}{number}"),
            Protocol::Sms => format!("+14155{number:06}"),
            Protocol::Email => format!("reader-{number}@example.com"),
        };
        let asked = Instant::now();
        let made = insist(&self.is_up, || self.subscribe(protocol, &endpoint)).await;
        let mut subscription = subscription(&made, protocol, endpoint);
        if !willing {
            return subscription;
        }
        subscription.consented = match protocol {
            Protocol::Webhook => Some(asked),
            _ => self.press_the_button(&subscription.endpoint).await,
        };
        if subscription.consented.is_none() || !self.wait_until_confirmed(&subscription.id).await {
            return subscription;
        }
        subscription.confirmed = Some(Instant::now());
        let stays_for_good = number < STAYING;
        self.settled.send_modify(|settled| *settled += usize::from(stays_for_good));
        self.stay(&mut subscription, stays_for_good).await;
        subscription
    }

    /// Stays for good, or a while and goes, unless the test comes to its end before.
    async fn stay(&mut self, subscription: &mut Subscription, for_good: bool) {
        let (one_in, long) = LONG_STAY;
        let stays_long = subscription.protocol == Protocol::Email && fastrand::usize(..one_in) == 0;
        let stay = if stays_long { long } else { STAY };
        let until = Instant::now() + Duration::from_millis(fastrand::u64(stay));
        while for_good || Instant::now() < until {
            if !wait(&mut self.stopping, Duration::from_millis(fastrand::u64(QUIET))).await {
                return;
            }
            operations::one_of_them(&self.client, &self.is_up, &mut self.stopping, subscription).await;
        }
        subscription.leaving = Some(Instant::now());
        insist(&self.is_up, || self.remove(&subscription.id)).await;
        subscription.left = Some(Instant::now());
    }

    async fn subscribe(&self, protocol: Protocol, endpoint: &str) -> Result<Value> {
        let endpoint = match protocol {
            Protocol::Webhook | Protocol::Chat => format!("{}{endpoint}", self.web),
            Protocol::Sms | Protocol::Email => endpoint.to_owned(),
        };
        let body = json!({"protocol": protocol.name(), "endpoint": endpoint});
        let answer = self.client.post("/subscriptions", &body).await?;
        ensure!(matches!(answer.status, 200 | 201), "subscribing was answered {}", answer.body);
        ensure!(answer.json()["subscriptionId"].is_string(), "no subscriptionId");
        Ok(answer.json())
    }

    /// Confirms by the link that was sent; gives the time from which that may have been done.
    async fn press_the_button(&mut self, endpoint: &str) -> Option<Instant> {
        let link = loop {
            if let Some(link) = self.ledger.link(endpoint) {
                break link;
            }
            if !wait(&mut self.stopping, BETWEEN_LOOKS).await {
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

    async fn wait_until_confirmed(&mut self, id: &str) -> bool {
        loop {
            let state = insist(&self.is_up, || self.client.subscription_state(id)).await;
            if state == "confirmed" {
                return true;
            }
            if !wait(&mut self.stopping, BETWEEN_LOOKS).await {
                return false;
            }
        }
    }

    async fn remove(&self, id: &str) -> Result<()> {
        let answer = self.client.delete(&format!("/subscriptions/{id}")).await?;
        ensure!(matches!(answer.status, 200 | 204), "removing was answered {}", answer.body);
        Ok(())
    }
}

/// One that was made just now, as the program told of it.
fn subscription(made: &Value, protocol: Protocol, endpoint: String) -> Subscription {
    Subscription {
        id: made["subscriptionId"].as_str().unwrap_or_default().to_owned(),
        protocol,
        endpoint,
        consented: None,
        confirmed: None,
        leaving: None,
        left: None,
        filters: Vec::new(),
        secrets: made["secret"].as_str().map(str::to_owned).into_iter().collect(),
        redriven: Vec::new(),
        suspensions: 0,
        rotations: 0,
        tests: 0,
    }
}

/// Waits that long; false if the test comes to its end before.
pub(crate) async fn wait(stopping: &mut watch::Receiver<bool>, time: Duration) -> bool {
    tokio::time::timeout(time, stopping.wait_for(|stopping| *stopping)).await.is_err()
}
