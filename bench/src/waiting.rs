//! Whether endpoints that wait for a retry delay the healthy one: they should cost nothing until their time comes.

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::exchange::exchange;
use crate::receiver::Receiver;
use crate::report::{Report, Row};
use crate::server::Server;
use crate::subscribers::subscribe;

/// How long the last notification may take to arrive.
const TIMEOUT: Duration = Duration::from_mins(2);
/// How many clients place the orders.
const CLIENTS: usize = 16;

/// The load.
#[derive(Args, Clone)]
pub(crate) struct Load {
    /// How many endpoints wait, in turn; the first is what the others are compared with.
    #[arg(long, value_delimiter = ',', default_value = "0,1000,3000,10000")]
    endpoints: Vec<usize>,
    /// How many orders are placed, each of which one healthy endpoint is told of.
    #[arg(long, default_value_t = 400)]
    orders: usize,
    /// How often each is measured, in turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Measures how long the healthy endpoint takes to be told of all orders, beside each number of waiting ones, each time on
/// a new store.
///
/// # Errors
/// The program does not start, does not confirm the endpoint, refuses an order, or does not tell of all of them.
pub(crate) fn measure(program: &Path, load: &Load) -> Result<Report> {
    ensure!(load.orders > 0 && load.rounds > 0 && !load.endpoints.is_empty(), "there is nothing to measure");
    let what =
        format!("until a healthy endpoint is told of {} orders while others wait for an hour", load.orders);
    let mut report = Report::begin("waiting", program, what)?;
    let mut times = vec![Vec::new(); load.endpoints.len()];
    for round in 1..=load.rounds {
        for (endpoints, times) in load.endpoints.iter().zip(&mut times) {
            writeln!(std::io::stderr(), "round {round}: {endpoints} wait")?;
            times.push(one_round(program, *endpoints, load.orders)?.as_secs_f64() * 1e3);
        }
    }
    for (endpoints, rounds) in load.endpoints.iter().zip(&times) {
        let row = Row::new(format!("all told while {endpoints} wait"), "ms", rounds);
        let first = format!("while {} wait", load.endpoints[0]);
        report.add(row.over(first, rounds, &times[0]).at_most(2.0));
    }
    Ok(report)
}

/// How long it took from the first order placed to the last notification taken.
fn one_round(program: &Path, endpoints: usize, orders: usize) -> Result<Duration> {
    let receiver = Receiver::start()?;
    let server = Server::program(program)?;
    subscribe(&server, &receiver, 1, &Value::Null)?;
    let server = server.restarted(program, |data| let_wait(&data.join("orderbell.db"), endpoints))?;
    let start = Instant::now();
    thread::scope(|scope| {
        let place = |client: usize| {
            let address = server.address;
            scope.spawn(move || -> Result<()> {
                for number in (client..orders).step_by(CLIENTS) {
                    let order = json!({"customerName": format!("Customer {number}"), "productName": "Bell"});
                    exchange(address, "POST", "/create-order", None, &order.to_string())?;
                }
                Ok(())
            })
        };
        let clients: Vec<_> = (0..CLIENTS).map(place).collect();
        clients.into_iter().try_for_each(|client| match client.join() {
            Ok(placed) => placed,
            Err(_) => bail!("a client broke off"),
        })
    })?;
    while usize::try_from(receiver.taken())? < orders {
        ensure!(start.elapsed() < TIMEOUT, "{} of {orders} orders arrived", receiver.taken());
        thread::sleep(Duration::from_millis(1));
    }
    Ok(start.elapsed())
}

/// Writes so many confirmed endpoints into the store, each with a delivery whose next attempt is due in an hour.
fn let_wait(database: &Path, endpoints: usize) -> Result<()> {
    let mut store = Connection::open(database).context("the store")?;
    let transaction = store.transaction()?;
    let now = Timestamp::now().as_microsecond();
    let retry = now + 3_600_000_000;
    let subscription = "INSERT INTO subscriptions (id, protocol, endpoint, receives, state, generation, created_at, \
                        confirmation_expires_at, confirmed_at, confirmed_in_sandbox) \
                        VALUES (randomblob(16), 'webhook', ?1, 'notices', 'confirmed', 1, ?2, ?2, ?2, 0)";
    let delivery = "INSERT INTO deliveries (id, kind, subscription, state, created_at, at) \
                    VALUES (randomblob(16), 'test', ?1, 'pending', ?2, ?3)";
    for number in 0..endpoints {
        let endpoint = format!("http://127.0.0.1:9/waiting/{number}");
        transaction.prepare_cached(subscription)?.execute((endpoint, now))?;
        let seq = transaction.last_insert_rowid();
        transaction.prepare_cached(delivery)?.execute([seq, now, retry])?;
    }
    Ok(transaction.commit()?)
}
