//! What the program does while it is traced: orders with keys, subscriptions over every protocol that come, are confirmed
//! and go, and a provider that is down at first and then reports, so that every table is written.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use orderbell_e2e::client::Client;
use orderbell_e2e::program::{Program, Settings};
use orderbell_e2e::receiver::{Receiver, Reply};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};

use crate::reports;
use crate::subscribers::{self, Receivers};

const CLIENTS: usize = 6;
const ORDERS: usize = 40;
/// One order in so many is placed once more after its answer.
const REPEATED: usize = 8;
const SUBSCRIBERS: usize = 3;

/// An order that was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The key that it was placed with.
    pub(crate) key: String,
    /// The id in the answer.
    pub(crate) id: String,
}

/// What the order of a key holds.
pub(crate) fn body(key: &str) -> Value {
    let quantity = key.len() + key.bytes().map(usize::from).sum::<usize>() % 90;
    json!({"customerName": key, "productName": "Bell", "quantity": quantity, "note": "ring ".repeat(quantity)})
}

/// The program's settings: webhooks and chats reach this machine, text messages go to `twilio`, mail stays in the sandbox.
pub(crate) fn settings(twilio: &Receiver) -> Settings {
    [Receiver::settings(), orderbell_e2e::twilio::settings(&twilio.url(""))].concat()
}

/// Places orders, subscribes and reports, all at once; gives every order, and every delivery that was reported. `life`
/// makes the keys of one load differ from another's.
pub(crate) async fn run(
    program: &Program,
    receivers: &Receivers,
    life: usize,
) -> Result<(Vec<Order>, Vec<String>)> {
    let (customer, operator) = (program.stranger()?, program.client()?);
    receivers.web.answer((0..20).map(|_| Reply::Status(500)), Reply::Status(200));
    // The first message pauses the channel.
    let refused = receivers.twilio.received().len();
    receivers.twilio.answer([Reply::Status(503)], orderbell_e2e::twilio::TAKEN);
    let (end, ended) = watch::channel(false);
    let (mut customers, mut subscribers) = (JoinSet::new(), JoinSet::new());
    let load = async {
        for number in 0..SUBSCRIBERS {
            let name = format!("{life}{number}");
            subscribers.spawn_local(subscribers::come_and_go(operator.clone(), receivers.clone(), name));
        }
        for number in 0..CLIENTS {
            customers.spawn_local(place_orders(customer.clone(), format!("{life}-{number}")));
        }
        let done = tokio::join!(customers.join_all(), subscribers.join_all());
        end.send_replace(true);
        done
    };
    let reports = reports::run(&operator, &receivers.twilio, refused + 1, ended);
    let ((orders, subscribed), reported) =
        LocalSet::new().run_until(async { tokio::join!(load, reports) }).await;
    subscribed.into_iter().collect::<Result<Vec<()>>>()?;
    Ok((orders.into_iter().collect::<Result<Vec<_>>>()?.concat(), reported?))
}

async fn place_orders(client: Client, name: String) -> Result<Vec<Order>> {
    let mut orders = Vec::new();
    for number in 0..ORDERS {
        let key = format!("power-loss-client-{name}-order-{number}");
        let id = place(&client, &key).await?;
        if number % REPEATED == 0 {
            ensure!(place(&client, &key).await? == id, "the order of {key} changed its id");
        }
        orders.push(Order { key, id });
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..20))).await;
    }
    Ok(orders)
}

/// Places the order of a key; gives the id in the answer.
pub(crate) async fn place(client: &Client, key: &str) -> Result<String> {
    let request =
        client.request(Method::POST, "/create-order").header("idempotency-key", key).json(&body(key));
    let answer = client.send(request).await?.expect(200)?;
    answer["orderId"].as_str().map(str::to_owned).context("an orderId")
}
