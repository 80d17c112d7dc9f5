//! The settings of the clients' connections.

use std::net::IpAddr;

use ipnet::IpNet;

use super::reading::{Reading, list, number};
use crate::descriptors;
use crate::http_server::ConnectionLimits;

/// The most connections that are wanted where nothing says otherwise: some 100 MB if each holds the largest head.
const DEFAULT_MAX_CONNECTIONS: usize = 4_096;
/// The share of one peer, where nothing says otherwise, is one part of so many, and at least so many connections.
const PEER_SHARE: usize = 8;
const MIN_PER_PEER: usize = 16;
/// What a setting may be.
const CONNECTIONS_RANGE: std::ops::RangeInclusive<usize> = 1..=100_000;

/// How many connections there may be, as far as it was chosen.
#[derive(Debug)]
pub(crate) struct Connections {
    max: Option<usize>,
    max_per_peer: Option<usize>,
    proxies: Vec<IpNet>,
}

impl Connections {
    pub(super) fn of(reading: &mut Reading) -> Self {
        let loopback = ["127.0.0.0/8", "::1/128"].iter().filter_map(|net| net.parse().ok()).collect();
        Self {
            max: reading.optional("max_connections", number(CONNECTIONS_RANGE)),
            max_per_peer: reading.optional("max_connections_per_peer", number(CONNECTIONS_RANGE)),
            proxies: reading.or("proxies", loopback, networks),
        }
    }

    /// Who speaks for many.
    pub(super) fn proxies(&self) -> &[IpNet] {
        &self.proxies
    }

    /// The limits of a process that may have so many descriptors and makes so many calls to the outside at once.
    pub(crate) fn limits(&self, descriptors: usize, calls: usize) -> ConnectionLimits {
        let possible = descriptors::for_clients(descriptors, calls).max(1);
        let wanted = self.max.unwrap_or(DEFAULT_MAX_CONNECTIONS);
        if let Some(chosen) = self.max.filter(|max| *max > possible) {
            tracing::warn!(
                max_connections = chosen,
                possible,
                descriptors,
                "there are fewer descriptors than the connections need (ulimit -Hn)"
            );
        }
        let max = wanted.min(possible);
        let share = (max / PEER_SHARE).max(MIN_PER_PEER);
        let max_per_peer = self.max_per_peer.unwrap_or(share).min(max);
        ConnectionLimits { max, max_per_peer, proxies: self.proxies.clone() }
    }
}

/// Addresses and networks.
fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |entry: String| {
        let alone = entry.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        let network = alone.or_else(|_| entry.parse::<IpNet>()).map(|network| network.trunc());
        network.map_err(|_| {
            format!("{entry:?} is neither an address nor a network such as 10.0.0.7 or 10.0.0.0/8")
        })
    };
    list(text).map(network).collect()
}
