//! A load of orders over connections that are kept open: each with one request on its way at a time, as fast as they are
//! answered, or at a steady rate ([`paced`]).

pub(crate) mod connection;
pub(crate) mod paced;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tokio::runtime;
use tokio::task::JoinSet;

use connection::{Connection, Keys};

/// As much as so many connections can bring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Full {
    /// How many connections are open.
    pub(crate) connections: usize,
    /// Whether orders carry a key.
    pub(crate) keys: Keys,
    /// For how long nothing is counted.
    pub(crate) warm_up: Duration,
    /// For how long it is counted then.
    pub(crate) length: Duration,
}

/// What a full load came to.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Orders answered with success in a second.
    pub(crate) per_second: f64,
    /// What the watched number grew by in a second.
    pub(crate) watched_per_second: f64,
    /// From each request to its answer.
    pub(crate) latencies: Vec<Duration>,
}

impl Full {
    /// That of so many connections, without keys: a second that is not counted, then four that are.
    pub(crate) const fn over(connections: usize) -> Self {
        let (warm_up, length) = (Duration::from_secs(1), Duration::from_secs(4));
        Self { connections, keys: Keys::None, warm_up, length }
    }
}

/// Where a load stands.
#[derive(Debug, Default)]
struct Phase {
    counting: AtomicBool,
    over: AtomicBool,
}

/// Loads a server, and watches a number while what it answers is counted.
///
/// There are as many threads as the machine has cores, each driving its share of the connections alone.
///
/// # Errors
/// A connection breaks, or an answer is not that of an accepted order.
pub(crate) fn full(server: SocketAddr, load: Full, watched: impl Fn() -> u32) -> Result<Taken> {
    let threads = thread::available_parallelism()?.get().min(load.connections);
    let phase = Arc::new(Phase::default());
    let drivers: Vec<_> = (0..threads)
        .map(|first| {
            let phase = Arc::clone(&phase);
            thread::spawn(move || drive_all(server, load, (first..load.connections).step_by(threads), &phase))
        })
        .collect();
    thread::sleep(load.warm_up);
    phase.counting.store(true, Ordering::Relaxed);
    let (start, before) = (Instant::now(), watched());
    thread::sleep(load.length);
    phase.over.store(true, Ordering::Relaxed);
    let (elapsed, grown) = (start.elapsed().as_secs_f64(), watched() - before);
    let mut latencies = Vec::new();
    for driver in drivers {
        latencies.append(&mut driver.join().map_err(|_| anyhow!("a thread of the load panicked"))??);
    }
    let answered = f64::from(u32::try_from(latencies.len())?);
    Ok(Taken { per_second: answered / elapsed, watched_per_second: f64::from(grown) / elapsed, latencies })
}

fn drive_all(
    server: SocketAddr,
    load: Full,
    numbers: impl Iterator<Item = usize>,
    phase: &Arc<Phase>,
) -> Result<Vec<Duration>> {
    runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
        let mut running: JoinSet<_> =
            numbers.map(|number| drive(server, load.keys, number, Arc::clone(phase))).collect();
        let mut latencies = Vec::new();
        while let Some(timed) = running.join_next().await {
            latencies.append(&mut timed.context("a connection panicked")??);
        }
        Ok(latencies)
    })
}

async fn drive(server: SocketAddr, keys: Keys, number: usize, phase: Arc<Phase>) -> Result<Vec<Duration>> {
    let mut connection = Connection::open_with(server, number, "Mechanical keyboard", keys).await?;
    let mut latencies = Vec::new();
    while !phase.over.load(Ordering::Relaxed) {
        let start = Instant::now();
        connection.place_order().await?;
        if phase.counting.load(Ordering::Relaxed) {
            latencies.push(start.elapsed());
        }
    }
    Ok(latencies)
}
