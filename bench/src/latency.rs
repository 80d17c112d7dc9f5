//! How long it takes from the answer to an order until its webhooks are told, at steady rates.

mod capacity;

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::load::paced::{self, Accepted};
use crate::receiver::{Arrival, Receiver};
use crate::report::spread::quantile_ms;
use crate::report::{Report, Row};
use crate::server::Server;
use crate::subscribers::subscribe;

/// For how long orders come before any is counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long after the last answer the last notifications may take. What did not come by then counts as if it came then.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// The shares of the capacity at which it is measured, too.
const SHARES: [f64; 3] = [0.1, 0.5, 0.9];

/// The load.
#[derive(Args, Clone)]
pub(crate) struct Load {
    /// How many orders come in a second, and how many webhooks are told of each, in turn
    #[arg(long, value_delimiter = ',', default_value = "400x1,200x10,1000x10,3000x1")]
    rates: Vec<Rate>,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// For how many seconds each is measured
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Leaves out the shares of the capacity, which is searched for first
    #[arg(long)]
    no_capacity: bool,
}

/// So many orders in a second, of each of which so many webhooks are told.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rate {
    orders: f64,
    webhooks: usize,
}

impl FromStr for Rate {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (orders, webhooks) = text.split_once('x').context("a rate is written 400x1")?;
        let rate = Self { orders: orders.parse()?, webhooks: webhooks.parse()? };
        ensure!(rate.orders > 0.0 && rate.webhooks > 0, "there is nothing to measure");
        Ok(rate)
    }
}

/// What came of the orders at one rate: times in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Measured {
    /// From the answer to an order until a webhook had it.
    told: [f64; 2],
    /// From when an order was due until its answer.
    answered_p99: f64,
    /// The share of the notifications that did not come in time.
    late: f64,
}

/// The rounds at one rate.
struct Rounds {
    name: String,
    rate: Rate,
    wanted: Option<[f64; 2]>,
    measured: Vec<Measured>,
}

/// Measures each rate in turn, each time on a new store.
///
/// # Errors
/// A server does not start, does not confirm a webhook or does not accept an order.
pub(crate) fn measure(program: &Path, load: &Load) -> Result<Report> {
    ensure!(load.rounds > 0 && load.seconds > 0, "there is nothing to measure");
    let what = "from the answer to an order until its webhooks have it, at steady rates";
    let mut report = Report::begin("latency", program, what)?;
    let mut all: Vec<_> = load.rates.iter().map(|rate| Rounds::at(*rate)).collect();
    if !load.no_capacity {
        let capacity = capacity::find(|orders| one(program, Rate { orders, webhooks: 1 }, capacity::LENGTH))?;
        report.add(Row::new("orders told to 1 webhook as they come", "/s", &[capacity]));
        if capacity > 0.0 {
            all.extend(SHARES.map(|share| Rounds::of_capacity(share, capacity)));
        }
        report.note("As they come: p99 at most 100 ms over 2 s, searched for once, to within an eighth.");
    }
    let length = Duration::from_secs(load.seconds);
    for _ in 0..load.rounds {
        for rounds in &mut all {
            rounds.measured.push(one(program, rounds.rate, length)?);
        }
    }
    for rounds in &all {
        rounds.tell(&mut report);
    }
    report.note(format!(
        "Orders are placed when they are due, whatever became of those before; what was not told {} s after the last \
         answer counts as told then.",
        LONGEST_WAIT.as_secs()
    ));
    Ok(report)
}

impl Rounds {
    fn at(rate: Rate) -> Self {
        let Rate { orders, webhooks } = rate;
        let wanted = if orders > 400.0 { [f64::INFINITY, 100.0] } else { [2.0, 8.0] };
        let name = format!("{orders} orders/s × {webhooks}");
        Self { name, rate, wanted: Some(wanted), measured: Vec::new() }
    }

    fn of_capacity(share: f64, capacity: f64) -> Self {
        let rate = Rate { orders: share * capacity, webhooks: 1 };
        let name = format!("{:.0} % of what is told as it comes × 1", share * 100.0);
        let wanted = (share <= 0.5).then_some([5.0, 25.0]);
        Self { name, rate, wanted, measured: Vec::new() }
    }

    fn tell(&self, report: &mut Report) {
        let column = |of: fn(&Measured) -> f64| self.measured.iter().map(of).collect::<Vec<_>>();
        let row = |what: &str, unit, column: &[f64]| Row::new(format!("{}: {what}", self.name), unit, column);
        let told = [column(|it| it.told[0]), column(|it| it.told[1])];
        for (place, what) in ["accepted to told, p50", "accepted to told, p99"].into_iter().enumerate() {
            let row = row(what, "ms", &told[place]);
            report.add(match self.wanted.map(|wanted| wanted[place]) {
                Some(most) if most.is_finite() => row.at_most(most),
                _ => row,
            });
        }
        report.add(row("due to accepted, p99", "ms", &column(|it| it.answered_p99)));
        report.add(row("told too late to be counted", "%", &column(|it| it.late * 100.0)).at_most(0.0));
    }
}

/// Places orders at a rate for so long, and times what became of them.
fn one(program: &Path, rate: Rate, length: Duration) -> Result<Measured> {
    let (server, receiver) = (Server::program(program)?, Receiver::with_arrivals()?);
    subscribe(&server, &receiver, rate.webhooks, &Value::Null)?;
    let before = paced::place(server.address, rate.orders, WARM_UP)?;
    let accepted = paced::place(server.address, rate.orders, length)?;
    let expected = (before.len() + accepted.len()) * rate.webhooks;
    receiver.wait_for(expected, LONGEST_WAIT);
    let times = told_after(&accepted, &receiver.arrivals(), rate.webhooks, Instant::now());
    let answered: Vec<_> = accepted.iter().map(|order| order.answered - order.due).collect();
    Ok(Measured {
        told: [quantile_ms(&times.told, 0.5), quantile_ms(&times.told, 0.99)],
        answered_p99: quantile_ms(&answered, 0.99),
        late: f64::from(times.late) / f64::from(u32::try_from(times.told.len())?),
    })
}

/// How long after its answer each notification of an order came.
pub(crate) struct Times {
    /// Of each notification that there was to be.
    pub(crate) told: Vec<Duration>,
    late: u32,
}

/// Holds what came against what was accepted. A notification that came before the answer was read took no time; one that
/// did not come by the `end` took until then, or longer.
pub(crate) fn told_after(
    accepted: &[Accepted],
    arrivals: &[Arrival],
    webhooks: usize,
    end: Instant,
) -> Times {
    let mut came: HashMap<u128, Vec<Instant>> = HashMap::new();
    for arrival in arrivals {
        came.entry(arrival.order).or_default().push(arrival.at);
    }
    let mut times = Times { told: Vec::with_capacity(accepted.len() * webhooks), late: 0 };
    for order in accepted {
        let came = came.get(&order.order).map_or(&[][..], Vec::as_slice);
        for place in 0..webhooks {
            let at = came.get(place).copied();
            times.late += u32::from(at.is_none());
            times.told.push(at.unwrap_or(end).saturating_duration_since(order.answered));
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn each_notification_is_held_against_its_own_order() {
        let start = Instant::now();
        let accepted = [1, 2].map(|order| Accepted {
            order,
            due: start,
            answered: start + MS * u32::try_from(order).unwrap(),
        });
        // The second order's came first, and the first order's other one never.
        let arrivals =
            [(2, 5), (1, 8), (2, 9), (7, 9)].map(|(order, at)| Arrival { order, at: start + MS * at });
        let times = told_after(&accepted, &arrivals, 2, start + MS * 100);
        assert_eq!(times.told, [7, 99, 3, 7].map(|ms| MS * ms));
        assert_eq!(times.late, 1);
    }

    #[test]
    fn a_notification_that_came_before_the_answer_was_read_took_no_time() {
        let start = Instant::now();
        let accepted = [Accepted { order: 1, due: start, answered: start + MS }];
        let times = told_after(&accepted, &[Arrival { order: 1, at: start }], 1, start);
        assert_eq!((times.told, times.late), (vec![Duration::ZERO], 0));
    }

    #[test]
    fn a_rate_says_orders_and_webhooks() {
        assert_eq!("400x10".parse::<Rate>().unwrap(), Rate { orders: 400.0, webhooks: 10 });
        for wrong in ["400", "0x1", "400x0", "x1", "400x1x1"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
