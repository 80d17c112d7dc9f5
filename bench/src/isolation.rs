//! Whether two bad endpoints delay the others: one that never answers and one that always fails, among a thousand
//! healthy ones.

mod receiver;

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::exchange::exchange;
use crate::report::spread::quantile_ms;
use crate::report::{Report, Row};
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

/// Measures the healthy endpoints alone and beside the two, in turn, each time on a new store.
///
/// # Errors
/// The program does not start, does not confirm everyone, or refuses an order.
pub(crate) fn measure(program: &Path, load: Load) -> Result<Report> {
    ensure!(load.endpoints > 0 && load.orders > 0 && load.rounds > 0, "there is nothing to measure");
    let what =
        "from acceptance to arrival at healthy endpoints, alone and beside one that hangs and one that fails";
    let mut report = Report::begin("isolation", program, what)?;
    let (mut alone, mut beside) = (Measured::default(), Measured::default());
    for round in 1..=load.rounds {
        for (measured, bad, what) in [(&mut alone, false, "alone"), (&mut beside, true, "beside the two")] {
            writeln!(std::io::stderr(), "round {round}: {what}")?;
            measured.add(one_round(program, load, bad)?);
        }
    }
    tell(load, &alone, &beside, &mut report);
    Ok(report)
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

/// Adds how both went: the latencies of all rounds together.
fn tell(load: Load, alone: &Measured, beside: &Measured, report: &mut Report) {
    for (what, share) in [("p50", 0.5), ("p99", 0.99), ("slowest", 1.0)] {
        let ms = |measured: &Measured| [quantile_ms(&measured.latencies, share)];
        let (alone, beside) = (ms(alone), ms(beside));
        report.add(Row::new(format!("accepted to arrived, alone, {what}"), "ms", &alone));
        let row = Row::new(format!("accepted to arrived, beside the two, {what}"), "ms", &beside);
        report.add(row.over("alone", &beside, &alone));
    }
    for (what, measured) in [("alone", alone), ("beside the two", beside)] {
        let counted = |name: &str, number: usize| {
            let number = f64::from(u32::try_from(number).unwrap_or(u32::MAX));
            Row::new(format!("{name}, {what}"), "", &[number])
        };
        report.add(counted("arrived", measured.latencies.len()));
        report.add(counted("not arrived", measured.missing).at_most(0.0));
        report.add(counted("calls that were never answered", measured.hung));
        report.add(counted("calls that were answered 500", measured.failed));
    }
    let Load { endpoints, orders, every, rounds } = load;
    report.note(format!(
        "{endpoints} healthy endpoints, {orders} orders, one every {every} ms, {rounds} rounds of each"
    ));
}
