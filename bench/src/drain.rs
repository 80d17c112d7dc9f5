//! How fast what waits is told once its endpoints take messages again, beside a bare client that posts the same to the same
//! receiver, one message at a time to each endpoint; and what orders notice of it meanwhile.

mod beside_intake;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::bare_client;
use crate::receiver::Receiver;
use crate::report::{Report, Row};
use crate::server::Server;
use crate::stored::{Due, let_wait};
use crate::subscribers::subscribe;

/// How long everything may take to arrive.
const TIMEOUT: Duration = Duration::from_mins(2);

/// The load.
#[derive(Args, Clone)]
pub(crate) struct Load {
    /// How many endpoints are told, in turn
    #[arg(long, value_delimiter = ',', default_value = "1,20,500")]
    endpoints: Vec<usize>,
    /// How many deliveries wait in all
    #[arg(long, default_value_t = 20_000)]
    deliveries: usize,
    /// How many deliveries wait while orders come, too
    #[arg(long, default_value_t = 100_000)]
    beside: usize,
    /// How many orders come in a second then
    #[arg(long, default_value_t = 2_000)]
    orders: u32,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What the rounds with one number of endpoints came to, in messages a second.
#[derive(Default)]
struct Rounds {
    told: Vec<f64>,
    bare: Vec<f64>,
}

/// Measures both for each number of endpoints, each time on a new store.
///
/// # Errors
/// The program does not start, does not confirm an endpoint, or does not tell all of what waits.
pub(crate) fn measure(program: &Path, load: &Load) -> Result<Report> {
    ensure!(load.rounds > 0 && load.endpoints.iter().all(|count| *count > 0), "there is nothing to measure");
    let what = format!("{} waiting deliveries told after a start, beside a bare client", load.deliveries);
    let mut report = Report::begin("drain", program, what)?;
    let mut rounds: Vec<_> = load.endpoints.iter().map(|_| Rounds::default()).collect();
    let mut beside = beside_intake::Rounds::default();
    for _ in 0..load.rounds {
        for (endpoints, rounds) in load.endpoints.iter().zip(&mut rounds) {
            rounds.one(program, *endpoints, load.deliveries / endpoints)?;
        }
        beside.one(program, load)?;
    }
    for (endpoints, Rounds { told, bare }) in load.endpoints.iter().zip(&rounds) {
        let to = if *endpoints == 1 { "1 endpoint".to_owned() } else { format!("{endpoints} endpoints") };
        report.add(Row::new(format!("bare client, {to}"), "/s", bare));
        let row = Row::new(format!("told, {to}"), "/s", told);
        report.add(row.over("bare client", told, bare).at_least(0.6));
    }
    beside.tell(load, &mut report);
    report.note("One message at a time to each endpoint, in order. The bare client stores nothing and signs nothing anew.");
    Ok(report)
}

impl Rounds {
    fn one(&mut self, program: &Path, endpoints: usize, each: usize) -> Result<()> {
        let (server, receiver) = (Server::program(program)?, Receiver::start()?);
        subscribe(&server, &receiver, endpoints, &Value::Null)?;
        let server = server.restarted(program, |data| let_wait(data, each, Due::Now))?;
        self.told.push(until_taken(&receiver, endpoints * each)?);
        drop(server);
        let message = receiver.first().context("a message")?;
        let bare = Receiver::start()?;
        let posting = bare_client::post(&bare, endpoints, each, &message, Arc::new(AtomicBool::new(false)));
        self.bare.push(until_taken(&bare, endpoints * each)?);
        bare_client::ended(posting)
    }
}

/// How many messages a second came between the first and the last.
fn until_taken(receiver: &Receiver, messages: usize) -> Result<f64> {
    let begun = Instant::now();
    let mut first = None;
    loop {
        let taken = usize::try_from(receiver.taken())?;
        if taken > 0 && first.is_none() {
            first = Some((Instant::now(), taken));
        }
        if let Some((start, before)) = first.filter(|_| taken >= messages) {
            let count = u32::try_from(messages - before)?;
            return Ok(f64::from(count) / start.elapsed().as_secs_f64());
        }
        ensure!(begun.elapsed() < TIMEOUT, "{taken} of {messages} messages arrived");
        thread::sleep(Duration::from_micros(200));
    }
}
