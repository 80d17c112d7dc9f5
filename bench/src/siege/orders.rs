//! A load of orders at a steady rate, each timed from when it was due to its answer.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::DRIPPING_PRODUCT;
use crate::load::connection::Connection;

/// Connections that share the load; on the first the dripping receivers' product is ordered.
const CONNECTIONS: u32 = 20;

/// What became of the orders.
#[derive(Default)]
pub(super) struct Orders {
    /// From when each was due to its answer.
    pub(super) latencies: Vec<Duration>,
    /// How many were not accepted.
    pub(super) refused: usize,
    /// How many of those accepted the healthy receiver is to be told of.
    pub(super) of_the_healthy: usize,
}

/// Places so many orders in a second for so long. An order that comes late delays none.
pub(super) async fn place(server: SocketAddr, rate: u32, length: Duration) -> Result<Orders> {
    let start = Instant::now();
    let mut placing = JoinSet::new();
    for number in 0..CONNECTIONS {
        let first = start + Duration::from_secs(1) / rate * number;
        placing.spawn(place_in_turn(
            server,
            number,
            first,
            Duration::from_secs(1) * CONNECTIONS / rate,
            start + length,
        ));
    }
    let mut all = Orders::default();
    while let Some(orders) = placing.join_next().await {
        let orders = orders?;
        all.latencies.extend(orders.latencies);
        all.refused += orders.refused;
        all.of_the_healthy += orders.of_the_healthy;
    }
    Ok(all)
}

async fn place_in_turn(
    server: SocketAddr,
    number: u32,
    mut due: Instant,
    every: Duration,
    end: Instant,
) -> Orders {
    let mut orders = Orders::default();
    let product = if number == 0 { DRIPPING_PRODUCT } else { "Mechanical keyboard" };
    let mut open = None;
    let mut opened = 0;
    while due < end {
        sleep_until(due).await;
        if open.is_none() {
            opened += 1;
            // Each connection places orders with numbers of its own.
            let number = (number + CONNECTIONS * opened) as usize;
            open = Connection::open(server, number, product).await.ok();
        }
        let placed = match &mut open {
            Some(connection) => connection.place_order().await.is_ok(),
            None => false,
        };
        if placed {
            orders.latencies.push(due.elapsed());
            orders.of_the_healthy += usize::from(product != DRIPPING_PRODUCT);
        } else {
            orders.refused += 1;
            open = None;
        }
        due += every;
    }
    orders
}
