//! Whether we reach anyone: where a receiver's name is not answered for, or there is no way to it, that may be the
//! receiver's failure or that of our own resolver or network.
//!
//! The rule. It is ours where three different hosts failed so in a row and nobody was reached in between; or where one that
//! was reached before fails, or another that was reached before is not found either when it is looked for. A single host
//! that was never reached is to blame itself. After six hours without anyone it is no longer taken for ours.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::dns::{LookupError, look_up};

/// So many hosts that fail in a row are a local outage.
const CONSECUTIVE_HOSTS: usize = 3;
/// So many of the hosts that were reached last are remembered.
const MAX_REMEMBERED_HOSTS: usize = 4;
/// The longest that failures are taken for a local outage: a zone whose servers are gone for good looks like a resolver that is
/// gone.
const MAX_LOCAL_OUTAGE: Duration = Duration::from_hours(6);

/// Why there was no connection to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreachable {
    /// No resolver answered about its name.
    Dns,
    /// There is no route to its address.
    Route,
}

/// Tells a local outage from a remote failure. Forgotten with the process.
pub(super) struct Reachability {
    history: Mutex<ReachabilityHistory>,
    /// The limit of one look-up.
    limit: Duration,
}

#[derive(Debug, Default)]
struct ReachabilityHistory {
    /// Reached, the last first.
    reached: VecDeque<String>,
    /// The hosts that failed since any was reached, each once.
    streak: Vec<String>,
    /// Since when.
    since: Option<Instant>,
}

/// Whose failure it is, or which host to look for to find out.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    LocalOutage,
    RemoteFailure,
    /// A local outage, if this host is not found either.
    LocalOutageUnlessFound(String),
}

impl Reachability {
    pub(super) fn new(limit: Duration) -> Self {
        Self { history: Mutex::default(), limit }
    }

    /// Records that a host was reached, whatever it answered.
    pub(super) fn record_reached(&self, host: &str) {
        self.history().record_reached(host);
    }

    /// Whether the failure to connect to `host` is a local outage.
    pub(super) async fn is_local_outage(&self, host: &str, unreachable: Unreachable) -> bool {
        let verdict = self.history().classify_failure(host, unreachable, Instant::now());
        match verdict {
            Verdict::LocalOutage => true,
            Verdict::RemoteFailure => false,
            Verdict::LocalOutageUnlessFound(other) => {
                let gone = !self.can_find(&other).await;
                if !gone {
                    self.history().record_reached(&other);
                }
                gone
            }
        }
    }

    /// Whether a known host is found now, where one can tell; if none can, the next message tells.
    pub(super) async fn has_recovered(&self) -> bool {
        let candidates = self.history().probe_candidates(Instant::now());
        for host in &candidates {
            if self.can_find(host).await {
                return true;
            }
        }
        candidates.is_empty()
    }

    /// Whether a resolver knows about a host, and there is a way to it if it has an address. Nothing is sent to it.
    async fn can_find(&self, host: &str) -> bool {
        match look_up(host, 9, self.limit).await {
            Ok(addresses) => addresses.into_iter().any(has_route_to),
            Err(LookupError::NoSuchName(_)) => true,
            Err(LookupError::ResourceExhausted(_) | LookupError::NoAnswer(_)) => false,
        }
    }

    fn history(&self) -> MutexGuard<'_, ReachabilityHistory> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the kernel has a route to an address: connecting a datagram socket looks it up without sending anything.
pub(super) fn has_route_to(address: SocketAddr) -> bool {
    let ours: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((ours, 0)).and_then(|socket| socket.connect(address)).is_ok()
}

impl ReachabilityHistory {
    fn record_reached(&mut self, host: &str) {
        self.streak.clear();
        self.since = None;
        if self.reached.front().is_none_or(|last| last != host) {
            self.reached.retain(|known| known != host);
            self.reached.push_front(host.to_owned());
            self.reached.truncate(MAX_REMEMBERED_HOSTS);
        }
    }

    fn classify_failure(&mut self, host: &str, unreachable: Unreachable, now: Instant) -> Verdict {
        if !self.streak.iter().any(|known| known == host) && self.streak.len() < CONSECUTIVE_HOSTS {
            self.streak.push(host.to_owned());
        }
        if self.exceeds_max_outage(now) {
            return Verdict::RemoteFailure;
        }
        let tells = |other: &&String| *other != host && (unreachable == Unreachable::Route || is_name(other));
        if let Some(other) = self.reached.iter().find(tells) {
            return Verdict::LocalOutageUnlessFound(other.clone());
        }
        let known = self.reached.iter().any(|known| known == host);
        if known || self.streak.len() >= CONSECUTIVE_HOSTS {
            Verdict::LocalOutage
        } else {
            Verdict::RemoteFailure
        }
    }

    fn exceeds_max_outage(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        now.saturating_duration_since(since) > MAX_LOCAL_OUTAGE
    }

    /// The hosts that can tell whether the outage is over: those who were reached and, beside them, those who were not. Nobody, if
    /// that would be one host alone, which may be gone itself.
    fn probe_candidates(&mut self, now: Instant) -> Vec<String> {
        if self.streak.is_empty() || self.reached.is_empty() || self.exceeds_max_outage(now) {
            return Vec::new();
        }
        let others = self.streak.iter().filter(|host| !self.reached.contains(host));
        let all: Vec<_> = self.reached.iter().chain(others).cloned().collect();
        if all.len() < 2 { Vec::new() } else { all }
    }
}

fn is_name(host: &str) -> bool {
    host.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests;
