//! The settings of how many orders may come.

use std::net::SocketAddr;

use ipnet::IpNet;
use web::{OrderAuth, OrderLimits, OrderRate};

use super::reading::Reading;

/// What each number of a rate may be.
const MAX_ORDER_RATE: u32 = 1_000_000;

/// The limits where nothing says otherwise, far above what a shop meets: an order each second from one network, ten under
/// one key, twenty from all without one; twice as many at once as in a minute.
const PER_ADDRESS: OrderRate = OrderRate { per_minute: 60, burst: 120 };
const PER_KEY: OrderRate = OrderRate { per_minute: 600, burst: 1_200 };
const WITHOUT_KEY: OrderRate = OrderRate { per_minute: 1_200, burst: 2_400 };

/// The limits. Where only this machine can reach the program there are none unless they are set. A limit of callers that
/// there are none of is a mistake: whoever set it thinks that it holds.
pub(super) fn order_limits(
    reading: &mut Reading,
    listen: SocketAddr,
    order_auth: &OrderAuth,
    proxies: &[IpNet],
) -> OrderLimits {
    let needs_key = matches!(order_auth, OrderAuth::Keys(_));
    let mut limit = |setting: &'static str, usual, counts: bool| {
        let default = Some(usual).filter(|_| !listen.ip().is_loopback());
        let limit = reading.or(setting, default, rate);
        let is_chosen = reading.is_written(setting) && !reading.is_mistaken(setting);
        if is_chosen && limit.is_some() && !counts {
            reading.mistake(setting, if needs_key { NO_STRANGERS } else { NO_KEYS });
        }
        limit
    };
    OrderLimits {
        per_address: limit("max_orders_per_address", PER_ADDRESS, !needs_key),
        per_key: limit("max_orders_per_key", PER_KEY, needs_key),
        without_key: limit("max_orders_without_key", WITHOUT_KEY, !needs_key),
        proxies: proxies.to_vec(),
    }
}

/// Why a limit of those without a key holds nobody back.
const NO_STRANGERS: &str = "has no effect where intake is key: who has no key places no order";
/// Why a limit of those with a key holds nobody back.
const NO_KEYS: &str = "has no effect where intake is open: orders are placed without a key";

fn rate(text: &str) -> Result<Option<OrderRate>, String> {
    if text.trim() == "off" {
        return Ok(None);
    }
    let number = |text: &str| text.trim().parse().ok().filter(|number| (1..=MAX_ORDER_RATE).contains(number));
    let rate = match text.split_once('/') {
        None => number(text).map(|per_minute| OrderRate { per_minute, burst: per_minute * 2 }),
        Some((per_minute, burst)) => {
            number(per_minute).zip(number(burst)).map(|(per_minute, burst)| OrderRate { per_minute, burst })
        }
    };
    rate.map(Some).ok_or_else(|| {
        format!("must be off, or orders a minute and at once such as 60/120, each from 1 to {MAX_ORDER_RATE}")
    })
}
