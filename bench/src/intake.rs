//! How many orders the program takes, each on disk before its answer, and how long one takes, as a share of a bare echo.

use std::path::Path;

use anyhow::{Result, ensure};
use clap::Args;

use crate::load::connection::Keys;
use crate::load::{Full, full};
use crate::report::spread::quantile_ms;
use crate::report::{Report, Row};
use crate::server::Server;

/// The load.
#[derive(Args, Clone)]
pub(crate) struct Load {
    /// How many connections are open, in turn
    #[arg(long, value_delimiter = ',', default_value = "64,256")]
    connections: Vec<usize>,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What the rounds at one number of connections came to.
#[derive(Default)]
struct Rounds {
    echoes: Vec<f64>,
    plain: Side,
    keyed: Side,
}

/// The same of orders without keys or with them.
#[derive(Default)]
struct Side {
    per_second: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

/// Measures the echo and the program in turn, each time on a new store.
///
/// # Errors
/// A server does not start or does not accept an order.
pub(crate) fn measure(program: &Path, load: &Load) -> Result<Report> {
    ensure!(
        load.rounds > 0 && load.connections.iter().all(|count| *count > 0),
        "there is nothing to measure"
    );
    let what = "durable orders taken with nobody to tell, beside a bare HTTP echo of the same library";
    let mut report = Report::begin("intake", program, what)?;
    let mut rounds: Vec<_> = load.connections.iter().map(|_| Rounds::default()).collect();
    for _ in 0..load.rounds {
        for (connections, rounds) in load.connections.iter().zip(&mut rounds) {
            rounds.one(program, *connections)?;
        }
    }
    for (connections, rounds) in load.connections.iter().zip(&rounds) {
        rounds.tell(*connections, &mut report);
    }
    report.note("Nobody is told of these orders: what is taken while webhooks are told is `telling`'s.");
    Ok(report)
}

impl Rounds {
    fn one(&mut self, program: &Path, connections: usize) -> Result<()> {
        let echo = Server::echo()?;
        self.echoes.push(full(echo.address, Full::over(connections), || 0)?.per_second);
        drop(echo);
        for (side, keys) in [(&mut self.plain, Keys::None), (&mut self.keyed, Keys::Random)] {
            let server = Server::program(program)?;
            let taken = full(server.address, Full { keys, ..Full::over(connections) }, || 0)?;
            side.per_second.push(taken.per_second);
            side.p50.push(quantile_ms(&taken.latencies, 0.5));
            side.p99.push(quantile_ms(&taken.latencies, 0.99));
        }
        Ok(())
    }

    fn tell(&self, connections: usize, report: &mut Report) {
        let Self { echoes, plain, keyed } = self;
        let at = |what: &str| format!("{what}, {connections} connections");
        report.add(Row::new(at("bare echo"), "/s", echoes));
        let share = |what: &str, side: &Side| {
            Row::new(at(what), "/s", &side.per_second).over("bare echo", &side.per_second, echoes)
        };
        // The more connections there are, the more orders share a sync.
        let wanted = if connections >= 256 { 0.80 } else { 0.65 };
        report.add(share("orders", plain).at_least(wanted));
        report.add(share("orders with random keys", keyed).at_least(0.65));
        for (what, side) in [("order", plain), ("order with a random key", keyed)] {
            report.add(Row::new(at(&format!("{what}, p50")), "ms", &side.p50));
            report.add(Row::new(at(&format!("{what}, p99")), "ms", &side.p99).at_most(8.0));
        }
    }
}
