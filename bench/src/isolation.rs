//! Whether two bad endpoints delay the others: one that never answers and one that always fails, among a thousand
//! healthy ones.

mod receiver;

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::exchange::exchange;
use crate::server::Server;
use receiver::{FAILING, HANGING, Receiver};

/// How long everyone may take to be confirmed, and how long the last notifications may take to arrive.
const TIMEOUT: Duration = Duration::from_mins(2);

/// The load; by default what two cores bear that also receive it.
#[derive(Args, Clone, Copy)]
pub(crate) struct Load {
    /// How many healthy endpoints there are; each is told of each order.
    #[arg(long, default_value_t = 1_000)]
    endpoints: usize,
    /// How many orders are placed.
    #[arg(long, default_value_t = 30)]
    orders: usize,
    /// How long after one order the next is placed, in milliseconds.
    #[arg(long, default_value_t = 2_000)]
    every: u64,
    /// How often both are measured, in turn.
    #[arg(long, default_value_t = 2)]
    rounds: usize,
}

/// What was measured: the healthy endpoints' latencies from acceptance to arrival, and the calls that the bad ones had.
#[derive(Default)]
struct Measured {
    latencies: Vec<Duration>,
    missing: usize,
    hung: usize,
    failed: usize,
}

/// Measures the healthy endpoints alone and beside the two, in turn, each time on a new store, and prints both.
///
/// # Errors
/// The program does not start, does not confirm everyone, or refuses an order.
pub(crate) fn compare(program: &Path, load: Load) -> Result<()> {
    ensure!(load.endpoints > 0 && load.orders > 0 && load.rounds > 0, "there is nothing to measure");
    let (mut alone, mut beside) = (Measured::default(), Measured::default());
    for round in 1..=load.rounds {
        for (measured, bad, what) in [(&mut alone, false, "alone"), (&mut beside, true, "beside the two")] {
            writeln!(std::io::stderr(), "round {round}: {what}")?;
            measured.add(one_round(program, load, bad)?);
        }
    }
    print(load, alone, beside)
}

fn one_round(program: &Path, load: Load, bad: bool) -> Result<Measured> {
    let server = Server::program(program)?;
    let healthy = Receiver::start()?;
    let unhealthy = Receiver::start()?;
    let mut endpoints: Vec<_> = (0..load.endpoints).map(|number| healthy.url(&number.to_string())).collect();
    if bad {
        // The oldest subscriptions, who would have the first turn if age gave one.
        endpoints.splice(0..0, [unhealthy.url(HANGING), unhealthy.url(FAILING)]);
    }
    subscribe(&server, &endpoints)?;
    let start = Instant::now();
    for number in 0..load.orders {
        let due = Duration::from_millis(load.every).saturating_mul(u32::try_from(number)?);
        thread::sleep(due.saturating_sub(start.elapsed()));
        place_order(&server, number)?;
    }
    let expected = load.endpoints * load.orders;
    let missing = expected - healthy.wait_for(expected, TIMEOUT);
    let latencies = healthy.latencies();
    Ok(Measured { latencies, missing, hung: unhealthy.calls(HANGING), failed: unhealthy.calls(FAILING) })
}

/// Subscribes all, and waits until each has answered its challenge.
fn subscribe(server: &Server, endpoints: &[String]) -> Result<()> {
    let key = server.admin_key()?;
    for endpoint in endpoints {
        let body = json!({"protocol": "webhook", "endpoint": endpoint}).to_string();
        exchange(server.address, "POST", "/subscriptions", Some(&key), &body)?;
    }
    let start = Instant::now();
    loop {
        let path = "/subscriptions?state=pending&limit=1";
        let pending: Value = exchange(server.address, "GET", path, Some(&key), "")?;
        match pending["items"].as_array() {
            Some(items) if items.is_empty() => return Ok(()),
            _ if start.elapsed() > TIMEOUT => bail!("waited in vain for confirmations: {pending}"),
            _ => thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn place_order(server: &Server, number: usize) -> Result<()> {
    let order = json!({"customerName": format!("Customer {number}"), "productName": "Bell"}).to_string();
    exchange(server.address, "POST", "/create-order", None, &order).map(drop)
}

impl Measured {
    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.missing += other.missing;
        self.hung += other.hung;
        self.failed += other.failed;
    }
}

/// The value below which `share` of the sorted values lie (nearest rank).
pub(crate) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52 values")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place between 0 and their number"
    )]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn print(load: Load, mut alone: Measured, mut beside: Measured) -> Result<()> {
    alone.latencies.sort_unstable();
    beside.latencies.sort_unstable();
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["from acceptance to arrival, healthy endpoints", "alone", "beside the two"]);
    let mut row = |what: &str, value: &dyn Fn(&Measured) -> String| {
        table.add_row([what.to_owned(), value(&alone), value(&beside)]);
    };
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    row("p50", &|measured| ms(quantile(&measured.latencies, 0.5)));
    row("p99", &|measured| ms(quantile(&measured.latencies, 0.99)));
    row("max", &|measured| ms(quantile(&measured.latencies, 1.0)));
    row("arrived", &|measured| measured.latencies.len().to_string());
    row("not arrived", &|measured| measured.missing.to_string());
    row("calls that were never answered", &|measured| measured.hung.to_string());
    row("calls that were answered 500", &|measured| measured.failed.to_string());
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let Load { endpoints, orders, every, rounds } = load;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{endpoints} healthy endpoints, {orders} orders, one every {every} ms, {rounds} rounds of each"
    )?;
    writeln!(out, "{table}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_value_of_the_nearest_rank() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(quantile(&sorted, 0.5), Duration::from_millis(100));
        assert_eq!(quantile(&sorted, 0.99), Duration::from_millis(198));
        assert_eq!(quantile(&sorted, 1.0), Duration::from_millis(200));
        assert_eq!(quantile(&[], 0.99), Duration::ZERO);
    }
}
