//! A few seconds' glance at what is taken and told, for `cargo xtask check`: it shows what broke altogether, and is too short
//! to tell more.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::bare_client;
use crate::load::{Full, full};
use crate::receiver::Receiver;
use crate::report::{Report, Row};
use crate::server::Server;
use crate::subscribers::subscribe;
use crate::telling::message;

const CONNECTIONS: usize = 64;

/// Looks once at each.
///
/// # Errors
/// A server does not start or does not accept an order.
pub(crate) fn measure(program: &Path) -> Result<Report> {
    let what = "one short look, too short to compare with another: this judges nothing";
    let mut report = Report::begin("glance", program, what)?;
    let load = Full {
        warm_up: Duration::from_millis(200),
        length: Duration::from_millis(800),
        ..Full::over(CONNECTIONS)
    };
    let echo = Server::echo()?;
    let echoes = [full(echo.address, load, || 0)?.per_second];
    drop(echo);
    let server = Server::program(program)?;
    let taken = [full(server.address, load, || 0)?.per_second];
    drop(server);
    let bare = [bare_client::per_second(1, &message(program)?, load.length)?];
    let (server, receiver) = (Server::program(program)?, Receiver::start()?);
    subscribe(&server, &receiver, 1, &Value::Null)?;
    let both = full(server.address, load, || receiver.taken())?;
    let told = [both.watched_per_second];
    report.add(Row::new("orders, nobody to tell", "/s", &taken).over("bare echo", &taken, &echoes));
    report.add(Row::new("orders, 1 webhook", "/s", &[both.per_second]));
    report.add(Row::new("told meanwhile", "/s", &told).over("bare client", &told, &bare));
    Ok(report)
}
