//! What the program takes before it does anything: bytes on disk, time to start, memory when idle and when much waits.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use crate::exchange::exchange;
use crate::memory;
use crate::receiver::Receiver;
use crate::report::{Report, Row};
use crate::server::Server;
use crate::stored::{Due, let_wait};
use crate::subscribers::subscribe;

/// How many endpoints share what waits.
const ENDPOINTS: usize = 20;
/// How long it has nothing to do before its memory is read.
const IDLE: Duration = Duration::from_secs(3);
const ORDER: &str = r#"{"customerName":"First","productName":"Bell"}"#;

/// What is measured.
#[derive(Args, Clone)]
pub(crate) struct Load {
    /// How many deliveries wait
    #[arg(long, default_value_t = 100_000)]
    waiting: usize,
    /// How often the program is started to see how long that takes
    #[arg(long, default_value_t = 9)]
    starts: usize,
    /// How often its memory is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Measures all of it, each time on a new store.
///
/// # Errors
/// The program does not start or does not accept an order, or the system does not say what it takes.
pub(crate) fn measure(program: &Path, load: &Load) -> Result<Report> {
    let what = "bytes on disk, time from start to the first order taken on an empty store, resident memory";
    let mut report = Report::begin("size", program, what)?;
    let bytes = f64::from(u32::try_from(fs::metadata(program)?.len())?);
    report.add(Row::new("program", "MB", &[bytes / 1e6]).at_most(18.0));
    let starts = (0..load.starts).map(|_| start_ms(program)).collect::<Result<Vec<_>>>()?;
    report.add(Row::new("start to first order taken", "ms", &starts).at_most(20.0));
    let (mut idle, mut waiting) = (Vec::new(), Vec::new());
    for _ in 0..load.rounds {
        idle.push(idle_mb(program)?);
        waiting.push(waiting_mb(program, load.waiting)?);
    }
    report.add(Row::new("memory when idle", "MB", &idle).at_most(20.0));
    let name = format!("memory while {} deliveries wait", load.waiting);
    report.add(Row::new(name, "MB", &waiting).over("memory when idle", &waiting, &idle).at_most(1.1));
    report.note("MB are 10⁶ bytes.");
    Ok(report)
}

/// From its start on an empty store until an order was accepted.
fn start_ms(program: &Path) -> Result<f64> {
    let start = Instant::now();
    let server = Server::program(program)?;
    exchange(server.address, "POST", "/create-order", None, ORDER)?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn idle_mb(program: &Path) -> Result<f64> {
    let server = Server::program(program)?;
    exchange(server.address, "POST", "/create-order", None, ORDER)?;
    thread::sleep(IDLE);
    memory::now_mb(&server)
}

fn waiting_mb(program: &Path, waiting: usize) -> Result<f64> {
    let (server, receiver) = (Server::program(program)?, Receiver::start()?);
    subscribe(&server, &receiver, ENDPOINTS, &Value::Null)?;
    let server = server.restarted(program, |data| let_wait(data, waiting / ENDPOINTS, Due::Tomorrow))?;
    exchange(server.address, "POST", "/create-order", None, ORDER)?;
    thread::sleep(IDLE);
    memory::now_mb(&server)
}
