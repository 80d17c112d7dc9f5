//! What the program does while it is traced: orders with keys, subscriptions that come, are confirmed and go, and a
//! mail relay that is down, so that every table is written.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use orderbell_e2e::client::Client;
use orderbell_e2e::program::{Program, Settings};
use orderbell_e2e::receiver::{Receiver, Reply};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::{JoinSet, LocalSet};

const CLIENTS: usize = 6;
const ORDERS: usize = 40;
/// One order in so many is placed once more after its answer.
const REPEATED: usize = 8;
const SUBSCRIBERS: usize = 3;
const SUBSCRIPTIONS: usize = 4;
/// How long a confirmed subscription stays.
const STAY: Duration = Duration::from_millis(150);

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

/// The program's settings: webhooks reach this machine, and mail goes to a relay that is not there.
pub(crate) fn settings() -> Result<Settings> {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut settings = Receiver::settings();
    settings.extend([
        ("ORDERBELL_SMTP_HOST", "127.0.0.1".to_owned()),
        ("ORDERBELL_SMTP_PORT", nobody.to_string()),
        ("ORDERBELL_SMTP_TLS", "none".to_owned()),
        ("ORDERBELL_SMTP_FROM", "Shop <orders@example.com>".to_owned()),
    ]);
    Ok(settings)
}

/// Places orders and subscribes, all at once; gives every order. `life` makes the keys of one load differ from
/// another's.
pub(crate) async fn run(program: &Program, receiver: &Receiver, life: usize) -> Result<Vec<Order>> {
    let (customer, operator) = (program.stranger()?, program.client()?);
    operator.subscribe("email", &format!("reader-{life}@example.com")).await?;
    receiver.answer((0..20).map(|_| Reply::Status(500)), Reply::Status(200));
    let (mut customers, mut subscribers) = (JoinSet::new(), JoinSet::new());
    let together = async {
        for number in 0..SUBSCRIBERS {
            subscribers.spawn_local(subscribe(operator.clone(), receiver.url(""), format!("{life}{number}")));
        }
        for number in 0..CLIENTS {
            customers.spawn_local(place_orders(customer.clone(), format!("{life}-{number}")));
        }
        tokio::join!(customers.join_all(), subscribers.join_all())
    };
    let (orders, subscribed) = LocalSet::new().run_until(together).await;
    subscribed.into_iter().collect::<Result<Vec<()>>>()?;
    Ok(orders.into_iter().collect::<Result<Vec<_>>>()?.concat())
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

/// Subscribes webhooks and telephones by turns, each confirmed; half of them go again. `name` is two digits.
async fn subscribe(client: Client, hooks: String, name: String) -> Result<()> {
    for number in 0..SUBSCRIPTIONS {
        let telephone = format!("+1202555{name}{number:02}");
        let subscription = if number % 2 == 0 {
            client.subscribe("webhook", &format!("{hooks}/{name}/{number}")).await?
        } else {
            client.subscribe("sms", &telephone).await?
        };
        let id = subscription["subscriptionId"].as_str().context("a subscriptionId")?.to_owned();
        if number % 2 == 1 {
            let message = client.wait_for_message(&telephone, "").await?;
            client.press(message["link"].as_str().context("a link")?).await?.expect(200)?;
        }
        client.wait_for_subscription(&id, "confirmed").await?;
        tokio::time::sleep(STAY).await;
        if number % 4 < 2 {
            client.delete(&format!("/subscriptions/{id}")).await?;
            client.wait_for_subscription(&id, "ended").await?;
        }
    }
    Ok(())
}
