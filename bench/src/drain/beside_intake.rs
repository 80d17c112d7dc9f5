//! What waits is told while orders come at a steady rate: how fast, and what those orders notice.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{Load, TIMEOUT};
use crate::bare_client;
use crate::load::paced::{self, Accepted};
use crate::receiver::Receiver;
use crate::report::spread::quantile_ms;
use crate::report::{Report, Row};
use crate::server::Server;
use crate::stored::{Due, WAITING_PRODUCT, let_wait};
use crate::subscribers::subscribe;

/// How many endpoints share what waits.
const ENDPOINTS: usize = 20;
/// How long orders come while nothing waits.
const ALONE: Duration = Duration::from_secs(4);
/// How long the bare client posts.
const BARE: Duration = Duration::from_secs(2);

/// What the rounds came to.
#[derive(Default)]
pub(super) struct Rounds {
    told: Vec<f64>,
    bare: Vec<f64>,
    p99_meanwhile: Vec<f64>,
    p99_alone: Vec<f64>,
}

impl Rounds {
    pub(super) fn one(&mut self, program: &Path, load: &Load) -> Result<()> {
        let (server, receiver) = (Server::program(program)?, Receiver::start()?);
        // Nobody is told of the orders that come meanwhile.
        subscribe(&server, &receiver, ENDPOINTS, &json!({"productName": [WAITING_PRODUCT]}))?;
        let server = server.restarted(program, |_| Ok(()))?;
        let alone = paced::place(server.address, f64::from(load.orders), ALONE)?;
        let each = load.beside / ENDPOINTS;
        let server = server.restarted(program, |data| let_wait(data, each, Due::Now))?;
        let (told, meanwhile) = drained(&server, &receiver, each * ENDPOINTS, load.orders)?;
        drop(server);
        let message = receiver.first().context("a message")?;
        self.bare.push(bare_client::per_second(ENDPOINTS, &message, BARE)?);
        self.told.push(told);
        self.p99_alone.push(p99(&alone));
        self.p99_meanwhile.push(p99(&meanwhile));
        Ok(())
    }

    pub(super) fn tell(&self, load: &Load, report: &mut Report) {
        let Self { told, bare, p99_meanwhile, p99_alone } = self;
        let Load { beside, orders, .. } = load;
        let name = format!("told, {beside} waiting, {ENDPOINTS} endpoints, beside {orders} orders/s");
        report.add(Row::new(name, "/s", told).over("bare client", told, bare));
        let p99 = |what: &str, column| Row::new(format!("due to accepted, {what}, p99"), "ms", column);
        report.add(p99("nothing waiting", p99_alone));
        let row = p99("meanwhile", p99_meanwhile).over("nothing waiting", p99_meanwhile, p99_alone);
        report.add(row.at_most(2.0));
    }
}

/// How many messages a second came between the first and the last, and the orders that came until then.
fn drained(
    server: &Server,
    receiver: &Receiver,
    messages: usize,
    orders: u32,
) -> Result<(f64, Vec<Accepted>)> {
    let (first, last) = (Cell::new(None), Cell::new(None));
    let more = || {
        let (now, taken) = (Instant::now(), receiver.taken());
        if taken > 0 && first.get().is_none() {
            first.set(Some((now, taken)));
        }
        last.set(Some((now, taken)));
        usize::try_from(taken).is_ok_and(|taken| taken < messages)
    };
    let accepted = paced::place_while(server.address, f64::from(orders), TIMEOUT, more)?;
    let ((start, before), (end, taken)) = first.get().zip(last.get()).context("nothing was told")?;
    ensure!(usize::try_from(taken)? >= messages, "{taken} of {messages} messages arrived");
    Ok((f64::from(taken - before) / (end - start).as_secs_f64(), accepted))
}

fn p99(accepted: &[Accepted]) -> f64 {
    let times: Vec<_> = accepted.iter().map(|order| order.answered - order.due).collect();
    quantile_ms(&times, 0.99)
}
