//! Clients that place orders with keys and insist until each is answered.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use orderbell_e2e::client::Client;
use reqwest::Method;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

const CLIENTS: usize = 6;
/// At most so long between a client's orders.
const LONGEST_PAUSE: u64 = 300;
/// One order in so many is placed once more after its answer.
const REPEATED: usize = 8;
const LONGEST: Duration = Duration::from_mins(1);
const BEFORE_NEXT_TRY: Duration = Duration::from_millis(20);

/// An order as its client knows it. The key is also the customer's name.
#[derive(Debug)]
pub(crate) struct Order {
    /// Its key.
    pub(crate) key: String,
    /// When it was first tried.
    pub(crate) posted: Instant,
    /// When it was answered with success.
    pub(crate) answered: Instant,
    /// The id in the answer.
    pub(crate) id: String,
    /// The id in the answer when it was placed once more.
    pub(crate) repeated: Option<String>,
}

/// How the names of one client's customers begin, whichever client that is.
pub(crate) fn customers_of_one_client() -> String {
    format!("{}-", client_name(fastrand::usize(..CLIENTS)))
}

fn client_name(number: usize) -> String {
    format!("crash-test-client-{number}")
}

/// Starts the clients; in the end they give all their orders, each of them answered.
pub(crate) fn start(
    client: &Client,
    is_up: &watch::Receiver<bool>,
    stopping: &watch::Receiver<bool>,
) -> JoinHandle<Vec<Order>> {
    let mut clients: JoinSet<_> = (0..CLIENTS)
        .map(|number| place_orders(number, client.clone(), is_up.clone(), stopping.clone()))
        .collect();
    tokio::spawn(async move {
        let mut orders = Vec::new();
        while let Some(placed) = clients.join_next().await {
            orders.extend(placed.expect("no client panics"));
        }
        orders
    })
}

async fn place_orders(
    number: usize,
    client: Client,
    is_up: watch::Receiver<bool>,
    stopping: watch::Receiver<bool>,
) -> Vec<Order> {
    let mut orders = Vec::new();
    while !*stopping.borrow() {
        let key = format!("{}-order-{}", client_name(number), orders.len());
        let posted = Instant::now();
        let id = insist(&is_up, || place(&client, &key)).await;
        let mut order = Order { key, posted, answered: Instant::now(), id, repeated: None };
        if fastrand::usize(..REPEATED) == 0 {
            order.repeated = Some(insist(&is_up, || place(&client, &order.key)).await);
        }
        orders.push(order);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..LONGEST_PAUSE))).await;
    }
    orders
}

async fn place(client: &Client, key: &str) -> Result<String> {
    let body = json!({"customerName": key, "productName": "Bell"});
    let request = client.request(Method::POST, "/create-order").header("idempotency-key", key).json(&body);
    let answer = client.send(request).await?.expect(200)?;
    let id = answer["orderId"].as_str().context("an orderId")?;
    ensure!(!id.is_empty(), "an empty orderId");
    Ok(id.to_owned())
}

/// Tries until it succeeds, while the program is up. It gives up, and the test with it, only if that lasts too long to be
/// the kills' doing.
pub(crate) async fn insist<T, F>(is_up: &watch::Receiver<bool>, mut attempt: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T>>,
{
    let mut is_up = is_up.clone();
    let start = Instant::now();
    loop {
        is_up.wait_for(|up| *up).await.expect("the test goes on");
        match attempt().await {
            Ok(done) => return done,
            Err(error) if start.elapsed() > LONGEST => panic!("tried in vain: {error:#}"),
            Err(_killed_meanwhile) => tokio::time::sleep(BEFORE_NEXT_TRY).await,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An order that was answered a second after it was posted.
    pub(crate) fn order(id: &str, posted: Instant) -> Order {
        let answered = posted + Duration::from_secs(1);
        Order { key: format!("key-of-{id}"), posted, answered, id: id.to_owned(), repeated: None }
    }
}
