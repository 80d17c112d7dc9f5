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

use crate::names::{Unfound, look_up};

/// So many hosts in a row.
const ROW: usize = 3;
/// So many of those that were reached last are remembered.
const REMEMBERED: usize = 4;
/// A zone whose servers are gone for good looks like a resolver that is gone: an end to it.
const BELIEVED_AFTER: Duration = Duration::from_hours(6);

/// What was missing on the way to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// An answer about its name.
    Name,
    /// A way to its address.
    Way,
}

/// Whom we reached, and whom not. Forgotten with the process.
pub(super) struct Reach {
    memory: Mutex<Memory>,
    /// The limit of one look-up.
    limit: Duration,
}

#[derive(Debug, Default)]
struct Memory {
    /// Reached, the last first.
    reached: VecDeque<String>,
    /// Not reached since anyone was, each once.
    row: Vec<String>,
    /// Since when.
    since: Option<Instant>,
}

/// What is known of a failure, and who else may be asked.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Ours,
    Theirs,
    /// It is ours if this host is not found either.
    IfGone(String),
}

impl Reach {
    pub(super) fn new(limit: Duration) -> Self {
        Self { memory: Mutex::default(), limit }
    }

    /// A host was reached, whatever it said.
    pub(super) fn reached(&self, host: &str) {
        self.memory().reached(host);
    }

    /// Whether it is our failure that this was missing on the way to `host`.
    pub(super) async fn is_ours(&self, host: &str, missing: Missing) -> bool {
        let verdict = self.memory().failed(host, missing, Instant::now());
        match verdict {
            Verdict::Ours => true,
            Verdict::Theirs => false,
            Verdict::IfGone(other) => {
                let gone = !self.finds(&other).await;
                if !gone {
                    self.memory().reached(&other);
                }
                gone
            }
        }
    }

    /// Whether somebody is found now, where that can be told; if not, a message tells.
    pub(super) async fn works_again(&self) -> bool {
        let witnesses = self.memory().witnesses(Instant::now());
        for host in &witnesses {
            if self.finds(host).await {
                return true;
            }
        }
        witnesses.is_empty()
    }

    /// Whether a resolver knows about a host, and there is a way to it if it has an address. Nothing is sent to it.
    async fn finds(&self, host: &str) -> bool {
        match look_up(host, 9, self.limit).await {
            Ok(addresses) => addresses.into_iter().any(has_way_to),
            Err(Unfound::NoSuchName(_)) => true,
            Err(Unfound::Lacking(_) | Unfound::NoAnswer(_)) => false,
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the kernel knows a way to an address: a datagram's socket is bound to a way without anything being sent.
pub(super) fn has_way_to(address: SocketAddr) -> bool {
    let ours: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((ours, 0)).and_then(|socket| socket.connect(address)).is_ok()
}

impl Memory {
    fn reached(&mut self, host: &str) {
        self.row.clear();
        self.since = None;
        if self.reached.front().is_none_or(|last| last != host) {
            self.reached.retain(|known| known != host);
            self.reached.push_front(host.to_owned());
            self.reached.truncate(REMEMBERED);
        }
    }

    fn failed(&mut self, host: &str, missing: Missing, now: Instant) -> Verdict {
        if !self.row.iter().any(|known| known == host) && self.row.len() < ROW {
            self.row.push(host.to_owned());
        }
        if self.lasts_too_long(now) {
            return Verdict::Theirs;
        }
        let tells = |other: &&String| *other != host && (missing == Missing::Way || is_name(other));
        if let Some(other) = self.reached.iter().find(tells) {
            return Verdict::IfGone(other.clone());
        }
        let known = self.reached.iter().any(|known| known == host);
        if known || self.row.len() >= ROW { Verdict::Ours } else { Verdict::Theirs }
    }

    fn lasts_too_long(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        now.saturating_duration_since(since) > BELIEVED_AFTER
    }

    /// Who can tell whether our side works again: those who were reached and, beside them, those who were not. Nobody, if
    /// that would be one host alone, which may be gone itself.
    fn witnesses(&mut self, now: Instant) -> Vec<String> {
        if self.row.is_empty() || self.reached.is_empty() || self.lasts_too_long(now) {
            return Vec::new();
        }
        let others = self.row.iter().filter(|host| !self.reached.contains(host));
        let all: Vec<_> = self.reached.iter().chain(others).cloned().collect();
        if all.len() < 2 { Vec::new() } else { all }
    }
}

fn is_name(host: &str) -> bool {
    host.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests;
