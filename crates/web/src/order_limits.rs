//! How many orders may come: from one address, under one key, and from all callers without a key together.
//!
//! Each limit is a rate with a burst (the generic cell rate algorithm, ITU-T I.371). `governor`, which has that, keeps every
//! address that it was asked about until somebody sweeps them, and cannot take of two limits or none; here memory is bounded,
//! and what is forgotten is what was used least.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use http::StatusCode;
use ipnet::IpNet;

use crate::keys::ADMIN;
use crate::problem::Problem;
use crate::seldom_said::SeldomSaid;

/// Counts the orders that were refused, by the name of the limit.
const REFUSED: &str = "orderbell_orders_refused_total";
/// How many addresses are known at once, at some 100 bytes each. One whose burst is whole again is forgotten; where there
/// are more all the same, the one that used least of it is: nobody is let in for it that would not have been.
const MOST: usize = 16_384;

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

/// The orders that came lately, held against the limits.
#[derive(Debug, Default)]
pub(crate) struct OrdersTaken {
    limits: OrderLimits,
    used: Mutex<Used>,
}

/// The names of the limits, as a metric has them.
pub const ORDER_LIMITS: [&str; 3] = ["address", "key", "without_key"];

/// What was used up of each limit, as the time at which all of it is back, in microseconds since 1970.
#[derive(Debug, Default)]
struct Used {
    addresses: Addresses,
    keys: HashMap<String, i64>,
    without_key: i64,
    refused: SeldomSaid,
}

#[derive(Debug, Default)]
struct Addresses {
    whole_at: HashMap<IpAddr, i64>,
    by_time: BTreeSet<(i64, IpAddr)>,
}

/// Who places an order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Orderer<'a> {
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
    fn take(self, whole_at: i64, now: i64) -> Result<i64, Duration> {
        // More than a burst was never used: the clock was set back, and nobody is made to wait for long because of that.
        let used = Some(whole_at - now).filter(|used| *used <= 2 * self.burst()).unwrap_or_default();
        let used = used.clamp(0, self.burst());
        let then = used + self.interval();
        let over = then - self.burst();
        if over <= 0 { Ok(now + then) } else { Err(Duration::from_micros(over.unsigned_abs())) }
    }
}

impl OrdersTaken {
    /// None yet.
    pub(crate) fn within(limits: OrderLimits) -> Self {
        Self { limits, used: Mutex::default() }
    }

    /// Takes one order's share of every limit of the caller's, or of none.
    ///
    /// # Errors
    /// 429 `too_many_orders`, which names the limit and says when to come again.
    pub(crate) fn take(&self, orderer: Orderer<'_>, now: Timestamp) -> Result<(), Problem> {
        match orderer {
            Orderer::Key(ADMIN) => Ok(()),
            Orderer::Key(name) => self.take_with_key(name, now),
            Orderer::Address(address) => self.take_without_key(address, now),
        }
    }

    fn take_with_key(&self, name: &str, now: Timestamp) -> Result<(), Problem> {
        let Some(rate) = self.limits.per_key else { return Ok(()) };
        let mut used = self.lock();
        let whole_at = used.keys.get(name).copied().unwrap_or_default();
        let taken = rate.take(whole_at, now.as_microsecond());
        let then = taken.map_err(|wait| used.refuse("key", "with your key", rate, wait, now))?;
        used.keys.insert(name.to_owned(), then);
        Ok(())
    }

    fn take_without_key(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Problem> {
        let micros = now.as_microsecond();
        let limited = self.limits.per_address.zip(self.own_address(address));
        let mut used = self.lock();
        used.addresses.forget_whole(micros);
        let mut of_address = None;
        if let Some((rate, address)) = limited {
            let taken = rate.take(used.addresses.whole_at(address), micros);
            let then = taken.map_err(|wait| used.refuse("address", "from your address", rate, wait, now))?;
            of_address = Some((address, then));
        }
        if let Some(rate) = self.limits.without_key {
            let taken = rate.take(used.without_key, micros);
            used.without_key =
                taken.map_err(|wait| used.refuse("without_key", "without a key", rate, wait, now))?;
        }
        // Nothing is used up of the one where the other refuses.
        if let Some((address, then)) = of_address {
            used.addresses.set(address, then);
        }
        Ok(())
    }

    /// Gives back what [`take`](Self::take) took: nothing new was stored.
    pub(crate) fn give_back(&self, orderer: Orderer<'_>) {
        match orderer {
            Orderer::Key(name) => {
                if let Some(rate) = self.limits.per_key
                    && let Some(whole_at) = self.lock().keys.get_mut(name)
                {
                    *whole_at -= rate.interval();
                }
            }
            Orderer::Address(address) => {
                let mut used = self.lock();
                if let Some(rate) = self.limits.without_key {
                    used.without_key -= rate.interval();
                }
                if let Some((rate, address)) = self.limits.per_address.zip(self.own_address(address)) {
                    let whole_at = used.addresses.whole_at(address);
                    used.addresses.set(address, whole_at - rate.interval());
                }
            }
        }
    }

    fn own_address(&self, address: Option<IpAddr>) -> Option<IpAddr> {
        address.filter(|address| !self.limits.proxies.iter().any(|proxy| proxy.contains(address)))
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    /// Counts a refusal and says so, a line at a time.
    fn refuse(
        &mut self,
        limit: &'static str,
        whose: &str,
        OrderRate { per_minute, burst }: OrderRate,
        wait: Duration,
        now: Timestamp,
    ) -> Problem {
        metrics::counter!(REFUSED, "limit" => limit).increment(1);
        self.refused.unsaid += 1;
        if let Some(refused) = self.refused.due(now) {
            tracing::warn!(refused, limit, "more orders came than are taken");
        }
        let detail = format!(
            "Too many orders came {whose}: {per_minute} a minute are taken, and {burst} at once; this request stored nothing"
        );
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_orders", detail);
        Problem { retry_after: Some(wait), ..problem }
    }
}

impl Addresses {
    fn whole_at(&self, address: IpAddr) -> i64 {
        self.whole_at.get(&address).copied().unwrap_or_default()
    }

    fn set(&mut self, address: IpAddr, whole_at: i64) {
        if let Some(before) = self.whole_at.insert(address, whole_at) {
            self.by_time.remove(&(before, address));
        }
        self.by_time.insert((whole_at, address));
        if self.by_time.len() > MOST {
            self.forget_first();
        }
    }

    fn forget_whole(&mut self, now: i64) {
        while self.by_time.first().is_some_and(|(whole_at, _)| *whole_at <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, address)) = self.by_time.pop_first() {
            self.whole_at.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests;
