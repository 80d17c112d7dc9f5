//! How much is told while as much is taken as clients can bring, beside a bare client that does nothing but post.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::bare_client;
use crate::exchange::exchange;
use crate::load::{Full, full};
use crate::receiver::{Message, Receiver};
use crate::report::spread::quantile_ms;
use crate::report::{Report, Row};
use crate::server::Server;
use crate::subscribers::subscribe;

/// How long the bare client posts.
const BARE: Duration = Duration::from_secs(2);

/// The load.
#[derive(Args, Clone)]
pub(crate) struct Load {
    /// How many connections bring orders, in turn
    #[arg(long, value_delimiter = ',', default_value = "64,256")]
    connections: Vec<usize>,
    /// How many webhooks are told of each order, in turn
    #[arg(long, value_delimiter = ',', default_value = "1,10")]
    webhooks: Vec<usize>,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// For how many seconds each is measured
    #[arg(long, default_value_t = 4)]
    seconds: u64,
}

/// What the rounds with one number of webhooks came to.
#[derive(Default)]
struct Rounds {
    bare: Vec<f64>,
    /// For each number of connections.
    beside: Vec<Beside>,
}

/// What was taken and told at once.
#[derive(Default)]
struct Beside {
    taken: Vec<f64>,
    told: Vec<f64>,
    p99: Vec<f64>,
}

/// Measures the bare client and the program in turn, each time on a new store.
///
/// # Errors
/// A server does not start, does not confirm a webhook or does not accept an order.
pub(crate) fn measure(program: &Path, load: &Load) -> Result<Report> {
    let counts = load.connections.iter().chain(&load.webhooks);
    ensure!(load.rounds > 0 && counts.copied().all(|count| count > 0), "there is nothing to measure");
    let what =
        "told a second while clients bring as many orders as are taken, beside a bare client that only posts";
    let mut report = Report::begin("telling", program, what)?;
    let mut rounds: Vec<_> = load.webhooks.iter().map(|_| Rounds::new(load)).collect();
    for _ in 0..load.rounds {
        for (webhooks, rounds) in load.webhooks.iter().zip(&mut rounds) {
            rounds.one(program, *webhooks, load)?;
        }
    }
    for (webhooks, rounds) in load.webhooks.iter().zip(&rounds) {
        rounds.tell(*webhooks, load, &mut report);
    }
    report
        .note("One message at a time to each webhook, in order. One process receives and places the orders.");
    Ok(report)
}

impl Rounds {
    fn new(load: &Load) -> Self {
        let beside = load.connections.iter().map(|_| Beside::default()).collect();
        Self { bare: Vec::new(), beside }
    }

    fn one(&mut self, program: &Path, webhooks: usize, load: &Load) -> Result<()> {
        self.bare.push(bare_client::per_second(webhooks, &message(program)?, BARE)?);
        for (connections, beside) in load.connections.iter().zip(&mut self.beside) {
            let (server, receiver) = (Server::program(program)?, Receiver::start()?);
            subscribe(&server, &receiver, webhooks, &Value::Null)?;
            let length = Duration::from_secs(load.seconds);
            let full_load = Full { length, ..Full::over(*connections) };
            let taken = full(server.address, full_load, || receiver.taken())?;
            beside.taken.push(taken.per_second);
            beside.told.push(taken.watched_per_second);
            beside.p99.push(quantile_ms(&taken.latencies, 0.99));
        }
        Ok(())
    }

    fn tell(&self, webhooks: usize, load: &Load, report: &mut Report) {
        let to = if webhooks == 1 { "1 webhook".to_owned() } else { format!("{webhooks} webhooks") };
        report.add(Row::new(format!("bare client, {to}"), "/s", &self.bare));
        for (connections, beside) in load.connections.iter().zip(&self.beside) {
            let at = |what: &str| format!("{what}, {to}, {connections} connections");
            let told = Row::new(at("told"), "/s", &beside.told).over("bare client", &beside.told, &self.bare);
            report.add(match webhooks {
                1 => told.at_least(0.4),
                _ => told.at_least(0.25),
            });
            report.add(Row::new(at("taken meanwhile"), "/s", &beside.taken));
            report.add(Row::new(at("order meanwhile, p99"), "ms", &beside.p99));
        }
    }
}

/// A message as the program sends it.
///
/// # Errors
/// It sends none.
pub(crate) fn message(program: &Path) -> Result<Message> {
    let (server, receiver) = (Server::program(program)?, Receiver::start()?);
    subscribe(&server, &receiver, 1, &Value::Null)?;
    let order = r#"{"customerName":"Customer 000000000001","productName":"Mechanical keyboard"}"#;
    exchange(server.address, "POST", "/create-order", None, order)?;
    receiver.wait_for(1, Duration::from_secs(10));
    receiver.first().context("the program told nothing")
}
