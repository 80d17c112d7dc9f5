//! A load of orders over connections that are kept open, each with one request on its way at a time.

pub(crate) mod connection;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tokio::runtime;
use tokio::task::JoinSet;

use connection::Connection;

const WARM_UP: Duration = Duration::from_secs(1);
const LENGTH: Duration = Duration::from_secs(4);

/// Where a load stands.
#[derive(Debug, Default)]
struct Phase {
    counting: AtomicBool,
    over: AtomicBool,
}

/// Loads a server over so many connections for some seconds, and gives the orders answered with success in a second.
///
/// There are as many threads as the machine has cores, each driving its share of the connections alone.
///
/// # Errors
/// A connection breaks, or an answer is not that of an accepted order.
pub(crate) fn orders_per_second(server: SocketAddr, connections: usize) -> Result<f64> {
    let threads = thread::available_parallelism()?.get().min(connections);
    let phase = Arc::new(Phase::default());
    let drivers: Vec<_> = (0..threads)
        .map(|first| {
            let phase = Arc::clone(&phase);
            thread::spawn(move || drive_all(server, (first..connections).step_by(threads), &phase))
        })
        .collect();
    thread::sleep(WARM_UP);
    phase.counting.store(true, Ordering::Relaxed);
    let start = Instant::now();
    thread::sleep(LENGTH);
    phase.over.store(true, Ordering::Relaxed);
    let elapsed = start.elapsed();
    let mut answered = 0;
    for driver in drivers {
        answered += driver.join().map_err(|_| anyhow!("a thread of the load panicked"))??;
    }
    Ok(f64::from(answered) / elapsed.as_secs_f64())
}

fn drive_all(server: SocketAddr, numbers: impl Iterator<Item = usize>, phase: &Arc<Phase>) -> Result<u32> {
    runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
        let mut running: JoinSet<_> =
            numbers.map(|number| drive(server, number, Arc::clone(phase))).collect();
        let mut answered = 0;
        while let Some(count) = running.join_next().await {
            answered += count.context("a connection panicked")??;
        }
        Ok(answered)
    })
}

async fn drive(server: SocketAddr, number: usize, phase: Arc<Phase>) -> Result<u32> {
    let mut connection = Connection::open(server, number, "Mechanical keyboard").await?;
    let mut answered = 0;
    while !phase.over.load(Ordering::Relaxed) {
        connection.place_order().await?;
        answered += u32::from(phase.counting.load(Ordering::Relaxed));
    }
    Ok(answered)
}
