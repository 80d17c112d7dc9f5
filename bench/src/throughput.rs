//! How many orders the program accepts, each on disk before its answer, as a share of a bare echo.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::exchange::exchange;
use crate::load::orders_per_second;
use crate::receiver::Receiver;
use crate::report::{Figure, median};
use crate::server::Server;

/// Echo and program are measured in turn, so often.
const ROUNDS: usize = 3;
const LONGEST_CONFIRMATION: Duration = Duration::from_secs(20);

/// Whether a webhook is subscribed while orders come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Webhook {
    /// Nobody is told.
    None,
    /// One receiver on this machine, which answers 200 at once, shares its cores and is told of each order.
    One,
}

/// Measures at so many connections, with `wanted` as the least share that is good enough.
///
/// # Errors
/// A server does not start or does not accept an order.
pub(crate) fn measure(
    program: &Path,
    connections: usize,
    webhook: Webhook,
    wanted: Option<f64>,
) -> Result<Vec<Figure>> {
    let (mut echoes, mut orders, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let echo = Server::echo()?;
        echoes.push(orders_per_second(echo.address, connections)?);
        drop(echo);
        let (accepted, delivered) = one_round(program, connections, webhook)?;
        orders.push(accepted);
        told.push(delivered);
    }
    let (echo, orders) = (median(echoes), median(orders));
    let with = if webhook == Webhook::One { ", one webhook subscribed" } else { "" };
    let what = |what: &str| format!("{what} at {connections} connections{with}");
    let mut figures = vec![
        Figure::plain(what("bare echo, answers/s"), echo),
        Figure::plain(what("durable orders/s"), orders),
        Figure::share(what("share of the echo"), orders / echo, wanted),
    ];
    if webhook == Webhook::One {
        figures.insert(2, Figure::plain(what("notifications delivered meanwhile"), median(told)));
    }
    Ok(figures)
}

/// Orders in a second, and notifications delivered until the load ended.
fn one_round(program: &Path, connections: usize, webhook: Webhook) -> Result<(f64, f64)> {
    let server = Server::program(program)?;
    if webhook == Webhook::None {
        return Ok((orders_per_second(server.address, connections)?, 0.0));
    }
    let receiver = Receiver::start()?;
    subscribe(&server, &receiver)?;
    let orders = orders_per_second(server.address, connections)?;
    Ok((orders, f64::from(receiver.taken())))
}

/// Subscribes the receiver, and waits until it is confirmed and its first order arrived.
fn subscribe(server: &Server, receiver: &Receiver) -> Result<()> {
    let key = server.admin_key()?;
    let call = |method, path: &str, body: &Value| {
        exchange(server.address, method, path, Some(&key), &body.to_string())
    };
    let made = call("POST", "/subscriptions", &json!({"protocol": "webhook", "endpoint": receiver.url()}))?;
    let path = format!("/subscriptions/{}", made["subscriptionId"].as_str().context("a subscriptionId")?);
    wait_until("the webhook is confirmed", || Ok(call("GET", &path, &json!({}))?["state"] == "confirmed"))?;
    call("POST", "/create-order", &json!({"customerName": "First", "productName": "Bell"}))?;
    wait_until("the webhook is told", || Ok(receiver.taken() > 0))
}

fn wait_until(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !is_so()? {
        if start.elapsed() > LONGEST_CONFIRMATION {
            bail!("waited in vain: {what}");
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
