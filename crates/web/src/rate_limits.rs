//! How many orders may come: from one address, under one key, and from all callers without a key together.
//!
//! Each limit is a rate with a burst (the generic cell rate algorithm, ITU-T I.371). `governor`, which has that, keeps every
//! address that it was asked about until somebody sweeps them, and cannot take of two limits or none; here memory is
//! bounded, and what is forgotten is what was used least.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use http::StatusCode;
use ipnet::IpNet;

use crate::keys::ADMIN;
use crate::observe::LogThrottle;
use crate::problem::Problem;

/// Counts the orders that were refused, by the name of the limit.
const REFUSED_METRIC: &str = "orderbell_orders_refused_total";
/// How many addresses are known at once, at some 100 bytes each. One whose burst is whole again is forgotten; where there
/// are more all the same, the one that used least of it is: nobody is let in for it that would not have been.
const MAX_ADDRESSES: usize = 16_384;

/// So many orders a minute, and so many at once by who placed none lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRate {
    /// A minute, 1 or more.
    pub per_minute: u32,
    /// At once, 1 or more.
    pub burst: u32,
}

/// Which limits there are; the default is none. The holder of the admin key has none.
#[derive(Debug, Clone, Default)]
pub struct OrderLimits {
    /// Of one address: an IPv4 one, or an IPv6 /64.
    pub per_address: Option<OrderRate>,
    /// Of each client's key.
    pub per_key: Option<OrderRate>,
    /// Of all callers without a key together.
    pub without_key: Option<OrderRate>,
    /// Who speaks for many: where such an address is all that is known of a caller, it has no limit of its own.
    pub proxies: Vec<IpNet>,
}

/// Limits the rate of orders: a burst and then so many a minute for each address and key.
#[derive(Debug, Default)]
pub(crate) struct OrderRateLimiter {
    limits: OrderLimits,
    usage: Mutex<Usage>,
}

/// The names of the limits, as a metric has them.
pub const ORDER_LIMIT_NAMES: [&str; 3] = ["address", "key", "without_key"];

/// What was used up of each limit, as the time at which all of it is back, in microseconds since 1970.
#[derive(Debug, Default)]
struct Usage {
    addresses: Addresses,
    keys: HashMap<String, i64>,
    without_key: i64,
    refused: LogThrottle,
}

#[derive(Debug, Default)]
struct Addresses {
    refilled_at: HashMap<IpAddr, i64>,
    by_time: BTreeSet<(i64, IpAddr)>,
}

/// Whose limits an order counts against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RateLimitKey<'a> {
    /// The holder of that key.
    Key(&'a str),
    /// Somebody without a key, at that address.
    Address(Option<IpAddr>),
}

impl OrderRate {
    /// How long an order lasts.
    fn interval(self) -> i64 {
        60_000_000 / i64::from(self.per_minute.max(1))
    }

    fn burst(self) -> i64 {
        self.interval() * i64::from(self.burst.max(1))
    }

    /// When all is back once another order is placed; how long to wait, if there is none left.
    fn acquire(self, refilled_at: i64, now: i64) -> Result<i64, Duration> {
        // More than a burst was never used: the clock was set back, and nobody is made to wait for long because of that.
        let used = Some(refilled_at - now).filter(|used| *used <= 2 * self.burst()).unwrap_or_default();
        let used = used.clamp(0, self.burst());
        let then = used + self.interval();
        let over = then - self.burst();
        if over <= 0 { Ok(now + then) } else { Err(Duration::from_micros(over.unsigned_abs())) }
    }
}

impl OrderRateLimiter {
    /// None yet.
    pub(crate) fn new(limits: OrderLimits) -> Self {
        Self { limits, usage: Mutex::default() }
    }

    /// Acquires one order's share of every limit of the caller's, or of none.
    ///
    /// # Errors
    /// 429 `too_many_orders`, which names the limit and says when to come again.
    pub(crate) fn acquire(&self, rate_limit_key: RateLimitKey<'_>, now: Timestamp) -> Result<(), Problem> {
        match rate_limit_key {
            RateLimitKey::Key(ADMIN) => Ok(()),
            RateLimitKey::Key(name) => self.acquire_for_key(name, now),
            RateLimitKey::Address(address) => self.acquire_for_address(address, now),
        }
    }

    fn acquire_for_key(&self, name: &str, now: Timestamp) -> Result<(), Problem> {
        let Some(rate) = self.limits.per_key else { return Ok(()) };
        let mut usage = self.lock();
        let refilled_at = usage.keys.get(name).copied().unwrap_or_default();
        let taken = rate.acquire(refilled_at, now.as_microsecond());
        let then = taken.map_err(|wait| usage.refuse("key", "with your key", rate, wait, now))?;
        usage.keys.insert(name.to_owned(), then);
        Ok(())
    }

    fn acquire_for_address(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Problem> {
        let micros = now.as_microsecond();
        let limited = self.limits.per_address.zip(self.limited_address(address));
        let mut usage = self.lock();
        usage.addresses.forget_refilled(micros);
        let mut of_address = None;
        if let Some((rate, address)) = limited {
            let taken = rate.acquire(usage.addresses.refilled_at(address), micros);
            let then = taken.map_err(|wait| usage.refuse("address", "from your address", rate, wait, now))?;
            of_address = Some((address, then));
        }
        if let Some(rate) = self.limits.without_key {
            let taken = rate.acquire(usage.without_key, micros);
            usage.without_key =
                taken.map_err(|wait| usage.refuse("without_key", "without a key", rate, wait, now))?;
        }
        // Nothing is used up of the one where the other refuses.
        if let Some((address, then)) = of_address {
            usage.addresses.set(address, then);
        }
        Ok(())
    }

    /// Refunds what [`acquire`](Self::acquire) took: nothing new was stored.
    pub(crate) fn refund(&self, rate_limit_key: RateLimitKey<'_>) {
        match rate_limit_key {
            RateLimitKey::Key(name) => {
                if let Some(rate) = self.limits.per_key
                    && let Some(refilled_at) = self.lock().keys.get_mut(name)
                {
                    *refilled_at -= rate.interval();
                }
            }
            RateLimitKey::Address(address) => {
                let mut usage = self.lock();
                if let Some(rate) = self.limits.without_key {
                    usage.without_key -= rate.interval();
                }
                if let Some((rate, address)) = self.limits.per_address.zip(self.limited_address(address)) {
                    let refilled_at = usage.addresses.refilled_at(address);
                    usage.addresses.set(address, refilled_at - rate.interval());
                }
            }
        }
    }

    fn limited_address(&self, address: Option<IpAddr>) -> Option<IpAddr> {
        address.filter(|address| !self.limits.proxies.iter().any(|proxy| proxy.contains(address)))
    }

    fn lock(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Usage {
    /// Counts a refusal and says so, a line at a time.
    fn refuse(
        &mut self,
        limit: &'static str,
        whose: &str,
        OrderRate { per_minute, burst }: OrderRate,
        wait: Duration,
        now: Timestamp,
    ) -> Problem {
        metrics::counter!(REFUSED_METRIC, "limit" => limit).increment(1);
        self.refused.suppressed += 1;
        if let Some(refused) = self.refused.due(now) {
            tracing::warn!(refused, limit, "order rate limit exceeded");
        }
        let detail = format!(
            "Too many orders came {whose}: {per_minute} a minute are taken, and {burst} at once; this request stored nothing"
        );
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_orders", detail);
        Problem { retry_after: Some(wait), ..problem }
    }
}

impl Addresses {
    fn refilled_at(&self, address: IpAddr) -> i64 {
        self.refilled_at.get(&address).copied().unwrap_or_default()
    }

    fn set(&mut self, address: IpAddr, refilled_at: i64) {
        if let Some(before) = self.refilled_at.insert(address, refilled_at) {
            self.by_time.remove(&(before, address));
        }
        self.by_time.insert((refilled_at, address));
        if self.by_time.len() > MAX_ADDRESSES {
            self.forget_first();
        }
    }

    fn forget_refilled(&mut self, now: i64) {
        while self.by_time.first().is_some_and(|(refilled_at, _)| *refilled_at <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, address)) = self.by_time.pop_first() {
            self.refilled_at.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests;
