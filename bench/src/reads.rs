//! What people read in a store with many orders while more come, how soon the program starts on it, and what it still takes.

mod readers;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;

use crate::exchange::exchange;
use crate::load::{Full, full, paced};
use crate::memory;
use crate::receiver::Receiver;
use crate::report::spread::quantile_ms;
use crate::report::{Report, Row};
use crate::server::Server;
use crate::stored::{Large, WAITING_PRODUCT};
use crate::subscribers::subscribe;
use readers::{Kind, Read};

/// How long it has nothing to do before its memory is read.
const IDLE: Duration = Duration::from_secs(3);

/// The load.
#[derive(Args, Clone)]
pub(crate) struct Load {
    /// How many orders the store has: 10,000,000 take 2.5 GB of disk
    #[arg(long, default_value_t = 10_000_000)]
    orders: usize,
    /// How many connections bring orders where as many are taken as they can bring
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// For how many seconds is read, in each round
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What the rounds came to.
#[derive(Default)]
struct Rounds {
    start: Vec<f64>,
    idle: Vec<f64>,
    taken: Vec<f64>,
    taken_when_empty: Vec<f64>,
    order_p99: Vec<f64>,
    /// For each kind that is read: p50 and p99.
    reads: Vec<[Vec<f64>; 2]>,
}

/// Writes the store once, and measures on it in rounds.
///
/// # Errors
/// The program does not start on it, or does not answer.
pub(crate) fn measure(program: &Path, load: &Load) -> Result<Report> {
    ensure!(load.rounds > 0 && load.orders > 0 && load.connections > 0, "there is nothing to measure");
    let what = format!("a store of {} orders: reads while half of what it can take comes", load.orders);
    let mut report = Report::begin("reads", program, what)?;
    let (mut server, receiver) = (Server::program(program)?, Receiver::start()?);
    subscribe(&server, &receiver, 1, &json!({"productName": [WAITING_PRODUCT]}))?;
    let mut large = None;
    server = server.restarted(program, |data| {
        large = Some(Large::write(data, load.orders)?);
        Ok(())
    })?;
    let kinds = Kind::all(&server, large.context("a store")?)?;
    let mut rounds = Rounds::default();
    for _ in 0..load.rounds {
        server = rounds.one(program, server, &kinds, load)?;
    }
    rounds.tell(&kinds, load, &mut report);
    report.note("Each read is a request on a connection of its own, one after the other, of another order or span each time.");
    report.note("The store's file was just written, and lies in the system's cache as far as that reaches.");
    Ok(report)
}

impl Rounds {
    fn one(&mut self, program: &Path, server: Server, kinds: &[Kind], load: &Load) -> Result<Server> {
        let mut begun = Instant::now();
        let server = server.restarted(program, |_| {
            begun = Instant::now();
            Ok(())
        })?;
        exchange(server.address, "GET", "/orders?limit=1", Some(&server.admin_key()?), "")?;
        self.start.push(begun.elapsed().as_secs_f64() * 1e3);
        thread::sleep(IDLE);
        self.idle.push(memory::now_mb(&server)?);

        let empty = Server::program(program)?;
        self.taken_when_empty.push(full(empty.address, Full::over(load.connections), || 0)?.per_second);
        drop(empty);
        let taken = full(server.address, Full::over(load.connections), || 0)?.per_second;
        self.taken.push(taken);

        let length = Duration::from_secs(load.seconds);
        let (address, key) = (server.address, server.admin_key()?);
        let (reads, orders) = thread::scope(|scope| {
            let reading = scope.spawn(|| readers::read_in_turn(address, &key, kinds, length));
            let orders = paced::place_while(address, taken / 2.0, 2 * length, || !reading.is_finished());
            let reads = reading.join().map_err(|_| anyhow::anyhow!("the reader panicked"));
            Ok::<_, anyhow::Error>((reads??, orders?))
        })?;
        self.keep(kinds, &reads);
        let times: Vec<_> = orders.iter().map(|order| order.answered - order.due).collect();
        self.order_p99.push(quantile_ms(&times, 0.99));
        Ok(server)
    }

    fn keep(&mut self, kinds: &[Kind], reads: &[Read]) {
        self.reads.resize(kinds.len(), Default::default());
        for (place, [p50, p99]) in self.reads.iter_mut().enumerate() {
            let of_it = reads.iter().filter(|read| read.kind == place);
            let times: Vec<_> = of_it.map(|read| read.took).collect();
            p50.push(quantile_ms(&times, 0.5));
            p99.push(quantile_ms(&times, 0.99));
        }
    }

    fn tell(&self, kinds: &[Kind], load: &Load, report: &mut Report) {
        report.add(Row::new("start to first answer", "ms", &self.start).at_most(1_000.0));
        report.add(Row::new("memory when idle", "MB", &self.idle));
        let at = format!("{} connections", load.connections);
        report.add(Row::new(format!("orders on an empty store, {at}"), "/s", &self.taken_when_empty));
        let row = Row::new(format!("orders, {at}"), "/s", &self.taken);
        report.add(row.over("empty store", &self.taken, &self.taken_when_empty).at_least(0.9));
        report.add(Row::new("due to accepted while it is read, p99", "ms", &self.order_p99));
        for (kind, [p50, p99]) in kinds.iter().zip(&self.reads) {
            report.add(Row::new(format!("{}, p50", kind.name), "ms", p50));
            report.add(Row::new(format!("{}, p99", kind.name), "ms", p99).at_most(10.0));
        }
    }
}
