//! Whether endpoints that wait for a retry delay the healthy one: they should cost nothing until their time comes.

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;

use crate::exchange::exchange;
use crate::receiver::Receiver;
use crate::server::Server;

/// How long the endpoint may take to be confirmed, and the last notification to arrive.
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
/// a new store, and prints the medians.
///
/// # Errors
/// The program does not start, does not confirm the endpoint, refuses an order, or does not tell of all of them.
pub(crate) fn compare(program: &Path, load: &Load) -> Result<()> {
    ensure!(load.orders > 0 && load.rounds > 0 && !load.endpoints.is_empty(), "there is nothing to measure");
    let mut times = vec![Vec::new(); load.endpoints.len()];
    for round in 1..=load.rounds {
        for (endpoints, times) in load.endpoints.iter().zip(&mut times) {
            writeln!(std::io::stderr(), "round {round}: {endpoints} wait")?;
            times.push(one_round(program, *endpoints, load.orders)?);
        }
    }
    print(load, times)
}

/// How long it took from the first order placed to the last notification taken.
fn one_round(program: &Path, endpoints: usize, orders: usize) -> Result<Duration> {
    let receiver = Receiver::start()?;
    let server = Server::program(program)?;
    subscribe(&server, &receiver.url())?;
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

/// Subscribes the endpoint, and waits until it has answered its challenge.
fn subscribe(server: &Server, endpoint: &str) -> Result<()> {
    let key = server.admin_key()?;
    let body = json!({"protocol": "webhook", "endpoint": endpoint}).to_string();
    exchange(server.address, "POST", "/subscriptions", Some(&key), &body)?;
    let start = Instant::now();
    loop {
        let path = "/subscriptions?state=confirmed&limit=1";
        let confirmed = exchange(server.address, "GET", path, Some(&key), "")?;
        if confirmed["items"].as_array().is_some_and(|items| !items.is_empty()) {
            return Ok(());
        }
        ensure!(start.elapsed() < TIMEOUT, "waited in vain for the confirmation");
        thread::sleep(Duration::from_millis(20));
    }
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

fn print(load: &Load, mut times: Vec<Vec<Duration>>) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["endpoints that wait for an hour", "until all are told", "times the first"]);
    let medians: Vec<_> = times.iter_mut().map(|times| median(times)).collect();
    let first = medians.first().copied().unwrap_or_default();
    for (endpoints, median) in load.endpoints.iter().zip(medians) {
        let times = median.as_secs_f64() / first.as_secs_f64();
        let shown = format!("{:.0} ms", median.as_secs_f64() * 1e3);
        table.add_row([endpoints.to_string(), shown, format!("{times:.2}")]);
    }
    for column in 0..3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let Load { orders, rounds, .. } = load;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{orders} orders for one healthy endpoint, {rounds} rounds of each; wanted: less than twice the first"
    )?;
    writeln!(out, "{table}")?;
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_time_in_the_middle() {
        let mut times = [3, 1, 2].map(Duration::from_millis);
        assert_eq!(median(&mut times), Duration::from_millis(2));
        assert_eq!(median(&mut []), Duration::ZERO);
    }
}
