//! A client that places thousands of orders in seconds: the others are served, and what came of it can be cleaned up.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result, ensure};
use orderbell_e2e::client::Client;
use orderbell_e2e::program::{Program, Settings};
use orderbell_e2e::receiver::Receiver;
use orderbell_e2e::wait;
use serde_json::{Value, json};

/// How many orders the client places, so many at a time.
const ORDERS: usize = 8_000;
const AT_A_TIME: usize = 64;

/// A program whose clients are told apart by their addresses on the loopback interface.
fn settings() -> Settings {
    vec![
        ("ORDERBELL_PROXIES", "192.0.2.1".to_owned()),
        ("ORDERBELL_MAX_ORDERS_PER_ADDRESS", "60/120".to_owned()),
        ("ORDERBELL_MAX_ORDERS_WITHOUT_KEY", "1200/2400".to_owned()),
    ]
}

/// A client that calls from that address of this machine.
fn client_at(program: &Program, address: u8) -> Result<Client> {
    Client::calling_from(IpAddr::from(Ipv4Addr::new(127, 0, 0, address)), &program.url())
}

fn order(customer: &str, number: usize) -> Value {
    json!({"customerName": customer, "productName": format!("Product {number}")})
}

/// Places the orders; answers how many were taken.
async fn flood(program: &Program) -> Result<usize> {
    let client = client_at(program, 1)?;
    let mut taken = 0;
    for first in (0..ORDERS).step_by(AT_A_TIME) {
        let mut answers = tokio::task::JoinSet::new();
        for number in first..first + AT_A_TIME {
            let (client, order) = (client.clone(), order("Mallory", number));
            answers.spawn(async move { client.post("/create-order", &order).await });
        }
        while let Some(answer) = answers.join_next().await {
            let answer = answer??;
            match answer.status {
                200 => taken += 1,
                429 => {
                    let wait = answer.headers.get("retry-after").context("a Retry-After")?.to_str()?;
                    ensure!((1..=2).contains(&wait.parse::<u64>()?), "wait {wait} s");
                    ensure!(answer.json()["code"] == "too_many_orders");
                }
                other => anyhow::bail!("an order of the flood is answered {other}"),
            }
        }
    }
    Ok(taken)
}

#[tokio::test]
async fn a_client_that_floods_is_held_back_and_costs_no_other_its_orders() -> Result<()> {
    let program = Program::start(settings()).await?;
    let client = program.client()?;
    let taken = flood(&program).await?;
    // Its burst, and an order for each second that it took.
    ensure!((120..600).contains(&taken), "{taken} orders of {ORDERS} were taken");

    let healthy = client_at(&program, 2)?;
    for number in 0..50 {
        healthy.post("/create-order", &order("Ada", number)).await?.expect(200)?;
    }
    ensure!(client.list("/orders?limit=200").await?.len() == taken + 50);

    let metrics = client.get("/metrics").await?.body;
    let refused = format!("orderbell_orders_refused_total{{limit=\"address\"}} {}", ORDERS - taken);
    ensure!(metrics.contains(&refused), "{refused} is not in {metrics}");
    let log = program.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("order rate limit exceeded")).collect();
    ensure!((1..=60).contains(&lines.len()), "{} lines", lines.len());
    ensure!(lines.iter().all(|line| !line.contains("127.0.0.1")), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn what_came_of_a_flood_is_cleaned_up_and_a_rate_limited_subscriber_hears_of_the_next_order_at_once()
-> Result<()> {
    let receiver = Receiver::start().await?;
    let program = Program::start([settings(), Receiver::settings()].concat()).await?;
    let client = program.client()?;
    let limited =
        json!({"protocol": "webhook", "endpoint": receiver.url("/limited"), "maxReceivesPerSecond": 1});
    let subscription = client.post("/subscriptions", &limited).await?.expect(201)?;
    let id = subscription["subscriptionId"].as_str().context("an id")?;
    client.wait_for_subscription(id, "confirmed").await?;

    let taken = flood(&program).await?;
    let waiting = async || client.list("/deliveries?state=pending&limit=200").await;
    wait::until("the flood waits for the rate", async || Ok((waiting().await?.len() > 50).then_some(())))
        .await?;

    let marked = client.post("/orders/spam", &json!({"customerName": "Mallory"})).await?.expect(200)?;
    ensure!(marked["marked"] == taken, "{marked} of {taken}");
    wait::until("nothing waits any more", async || Ok(waiting().await?.is_empty().then_some(()))).await?;
    let cancelled = client.list("/deliveries?state=cancelled&limit=200").await?;
    ensure!(
        cancelled.len() > 50
            && cancelled
                .iter()
                .all(|delivery| delivery["cancelReason"] == "spam" || delivery["kind"] != "notification")
    );

    let real = client.place_order("Ada", "Wireless Mouse").await?;
    let told = async || {
        let all = receiver.received();
        Ok(all.iter().any(|message| message.body.contains(&real)).then_some(()))
    };
    // What waited would have taken at least 50 seconds.
    wait::until("the real order is told", told).await?;
    let spam = cancelled[0]["orderId"].as_str().context("an order")?;
    ensure!(client.order(spam).await?["spamSince"].is_string());
    Ok(())
}
