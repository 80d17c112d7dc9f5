//! How soon the program answers.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::exchange::exchange;
use crate::report::median;
use crate::server::Server;

const STARTS: usize = 9;

/// From its start on an empty store until an order was accepted: the median of several starts, in milliseconds.
///
/// # Errors
/// It does not start or does not accept the order.
pub(crate) fn median_ms(program: &Path) -> Result<f64> {
    let times: Result<Vec<_>> = (0..STARTS).map(|_| once(program)).collect();
    Ok(median(times?))
}

fn once(program: &Path) -> Result<f64> {
    let start = Instant::now();
    let server = Server::program(program)?;
    let order = r#"{"customerName":"First","productName":"Bell"}"#;
    exchange(server.address, "POST", "/create-order", None, order)?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}
