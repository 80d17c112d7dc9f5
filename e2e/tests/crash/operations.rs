//! What an operator does to a subscription that is confirmed, while orders come and the program is killed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use domain::endpoint::Protocol;
use orderbell_e2e::client::Client;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::load::{customers_of_one_client, insist};
use crate::subscribers::wait;
use crate::subscription::{FilterChange, Subscription};

/// How long a suspension lasts, in milliseconds.
const SUSPENSION: std::ops::Range<u64> = 100..1_000;

/// Does one thing, or nothing: the dice decide.
pub(crate) async fn one_of_them(
    client: &Client,
    is_up: &watch::Receiver<bool>,
    stopping: &mut watch::Receiver<bool>,
    subscription: &mut Subscription,
) {
    let path = format!("/subscriptions/{}", subscription.id);
    match fastrand::u8(..10) {
        0 | 1 => {
            subscription.suspensions += 1;
            insist(is_up, || post(client, &path, "suspend", 200)).await;
            wait(stopping, Duration::from_millis(fastrand::u64(SUSPENSION))).await;
            insist(is_up, || post(client, &path, "resume", 200)).await;
        }
        2 | 3 => {
            let only = fastrand::bool().then(customers_of_one_client);
            let policy =
                only.as_deref().map_or(Value::Null, |name| json!({"customerName": [{"prefix": name}]}));
            let asked = Instant::now();
            insist(is_up, || change_filter(client, &path, &policy)).await;
            subscription.filters.push(FilterChange { asked, answered: Instant::now(), only });
        }
        4 if subscription.protocol == Protocol::Webhook && subscription.rotations == 0 => {
            subscription.rotations += 1;
            // Never again: if the answer was lost, the secret before signs too, but only one before.
            if let Ok(answer) = post(client, &path, "rotate-secret", 200).await
                && let (Some(secret), false) = (answer["secret"].as_str(), subscription.secrets.is_empty())
            {
                subscription.secrets.push(secret.to_owned());
            }
        }
        5 => {
            subscription.tests += 1;
            insist(is_up, || post(client, &path, "test", 202)).await;
        }
        6 | 7 if subscription.protocol == Protocol::Sms => {
            let held = format!("/deliveries?state=held&subscription={}", subscription.id);
            let held = insist(is_up, || client.list(&held)).await;
            for delivery in held.iter().filter_map(|delivery| delivery["deliveryId"].as_str()) {
                subscription.redriven.push(delivery.replace('-', ""));
                insist(is_up, || redrive(client, delivery)).await;
            }
        }
        _ => {}
    }
}

/// A delivery that is not held any more was redriven by the call before, whose answer was lost, or was reported on.
async fn redrive(client: &Client, delivery: &str) -> Result<()> {
    let answer = client.post(&format!("/deliveries/{delivery}/redrive"), &json!({})).await?;
    ensure!(matches!(answer.status, 200 | 409), "redriving was answered {}", answer.body);
    Ok(())
}

async fn post(client: &Client, path: &str, what: &str, expected: u16) -> Result<Value> {
    let answer = client.post(&format!("{path}/{what}"), &json!({})).await?;
    answer.expect(expected).with_context(|| what.to_owned())
}

async fn change_filter(client: &Client, path: &str, policy: &Value) -> Result<()> {
    client.patch(path, &json!({"filterPolicy": policy})).await?.expect(200)?;
    Ok(())
}
