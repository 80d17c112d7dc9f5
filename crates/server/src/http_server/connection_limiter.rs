//! Limits how many connections there may be, in all and of one peer, and evicts one where there is no room.
//!
//! A newcomer is let in: who has kept us waiting longest, be it with a request, a body or for taking an answer, is closed
//! for it. A connection whose request is being worked on is not; where all are, newcomers wait until one is not.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

use super::LOG_REPEAT_INTERVAL;
use super::client_wait::ClientWait;

/// Counts the connections that this server closed of its own accord, by reason.
pub(crate) const CLOSED_METRIC: &str = "orderbell_connections_closed_total";
/// The reasons why connections are closed.
pub(crate) const CLOSE_REASONS: [&str; 3] = ["no_room", "too_many_of_peer", "answer_not_taken"];

/// When all are being worked on: how long until the next look for one to evict.
const EVICTION_RETRY: Duration = Duration::from_millis(100);

/// How many connections there may be.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionLimits {
    /// In all.
    pub(crate) max: usize,
    /// Of one peer.
    pub(crate) max_per_peer: usize,
    /// Who speaks for many, and is no such peer.
    pub(crate) proxies: Vec<IpNet>,
}

/// Limits connections, and knows all that are open.
pub(crate) struct ConnectionLimiter {
    limits: ConnectionLimits,
    permits: Arc<Semaphore>,
    epoch: Instant,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    last: u64,
    open: HashMap<u64, Connection>,
    of_peers: HashMap<IpAddr, usize>,
    /// When it was last logged that the limit is reached.
    logged_at: Option<Instant>,
}

struct Connection {
    peer: Option<IpAddr>,
    wait: Arc<ClientWait>,
    /// Dropped to evict it.
    kept_open: oneshot::Sender<()>,
}

/// A connection's slot, which is free again when this is dropped.
pub(crate) struct ConnectionSlot {
    limiter: Arc<ConnectionLimiter>,
    number: u64,
    wait: Arc<ClientWait>,
    kept_open: oneshot::Receiver<()>,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionLimiter {
    /// One without connections.
    pub(crate) fn new(limits: ConnectionLimits) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(limits.max));
        Arc::new(Self { limits, permits, epoch: Instant::now(), connections: Mutex::default() })
    }

    /// Acquires a slot for a connection from that address, if it has one; none if the peer has too many that are being
    /// worked on.
    pub(crate) async fn acquire(self: &Arc<Self>, address: Option<IpAddr>) -> Option<ConnectionSlot> {
        let peer = address.and_then(|address| peer(address, &self.limits.proxies));
        if peer.is_some_and(|peer| !self.has_share_left(peer)) {
            return None;
        }
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
                break permit;
            }
            // One that was evicted and is still closing makes room for this one.
            if self.lock().open.len() >= self.limits.max {
                self.evict_longest_waiting();
            }
            if let Ok(permit) = timeout(EVICTION_RETRY, Arc::clone(&self.permits).acquire_owned()).await {
                break permit.ok()?;
            }
        };
        Some(self.register(peer, permit))
    }

    /// Evicts the connection that has kept us waiting longest, if one does.
    pub(crate) fn evict_longest_waiting(&self) {
        let mut connections = self.lock();
        if connections.logged_at.is_none_or(|logged_at| logged_at.elapsed() > LOG_REPEAT_INTERVAL) {
            connections.logged_at = Some(Instant::now());
            tracing::warn!(
                connections = connections.open.len(),
                "connection limit reached; closing those that keep us waiting longest"
            );
        }
        if connections.evict(|_| true) {
            metrics::counter!(CLOSED_METRIC, "because" => "no_room").increment(1);
        }
    }

    /// Whether the peer may have another connection, for which one of its own may have given way.
    fn has_share_left(&self, peer: IpAddr) -> bool {
        let mut connections = self.lock();
        if connections.of_peers.get(&peer).is_none_or(|open| *open < self.limits.max_per_peer) {
            return true;
        }
        metrics::counter!(CLOSED_METRIC, "because" => "too_many_of_peer").increment(1);
        connections.evict(|connection| connection.peer == Some(peer))
    }

    fn register(self: &Arc<Self>, peer: Option<IpAddr>, permit: OwnedSemaphorePermit) -> ConnectionSlot {
        let wait = Arc::new(ClientWait::new(self.epoch));
        let (sender, kept_open) = oneshot::channel();
        let mut connections = self.lock();
        connections.last += 1;
        let number = connections.last;
        connections.open.insert(number, Connection { peer, wait: Arc::clone(&wait), kept_open: sender });
        if let Some(peer) = peer {
            *connections.of_peers.entry(peer).or_default() += 1;
        }
        drop(connections);
        ConnectionSlot { limiter: Arc::clone(self), number, wait, kept_open, _permit: permit }
    }

    /// How many connections there are.
    #[cfg(test)]
    pub(crate) fn open(&self) -> usize {
        self.lock().open.len()
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    /// Evicts the one of those that has kept us waiting longest; returns whether there was one.
    fn evict(&mut self, is_one: impl Fn(&Connection) -> bool) -> bool {
        let waiting = self.open.iter().filter(|(_, connection)| is_one(connection));
        let since =
            waiting.filter_map(|(number, connection)| Some((connection.wait.waiting_since()?, *number)));
        let longest = since.min();
        longest.is_some_and(|(_, number)| self.remove(number))
    }

    fn remove(&mut self, number: u64) -> bool {
        let Some(Connection { peer, kept_open, .. }) = self.open.remove(&number) else { return false };
        drop(kept_open);
        if let Some(peer) = peer
            && let Some(open) = self.of_peers.get_mut(&peer)
        {
            *open -= 1;
            if *open == 0 {
                self.of_peers.remove(&peer);
            }
        }
        true
    }
}

impl ConnectionSlot {
    /// Since when the client has kept us waiting.
    pub(crate) fn wait(&self) -> &Arc<ClientWait> {
        &self.wait
    }

    /// Waits until the connection is evicted.
    pub(crate) async fn evicted(&mut self) {
        let _dropped = (&mut self.kept_open).await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.limiter.lock().remove(self.number);
    }
}

/// Whom a connection is counted for: an IPv4 address, or the first half of an IPv6 one, which is what one household is
/// given (RFC 6177); nobody, if it is a proxy's.
fn peer(address: IpAddr, proxies: &[IpNet]) -> Option<IpAddr> {
    let address = address.to_canonical();
    if proxies.iter().any(|proxy| proxy.contains(&address)) {
        return None;
    }
    Some(match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(whole) => Ipv6Addr::from_bits(whole.to_bits() >> 64 << 64).into(),
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "newcomers are tasks, and wait")]
mod tests {
    use super::*;

    const LOOPBACK: &str = "127.0.0.1";

    fn limiter(max: usize, max_per_peer: usize, proxies: &[&str]) -> Arc<ConnectionLimiter> {
        let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        ConnectionLimiter::new(ConnectionLimits { max, max_per_peer, proxies })
    }

    async fn acquire(limiter: &Arc<ConnectionLimiter>, address: &str) -> Option<ConnectionSlot> {
        limiter.acquire(Some(address.parse().unwrap())).await
    }

    /// Whether a connection was told to go.
    fn is_evicted(slot: &mut ConnectionSlot) -> bool {
        slot.kept_open.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    /// Lets the clock move, which has microseconds.
    fn time_passes(limiter: &ConnectionLimiter) {
        let before = limiter.epoch.elapsed().as_micros();
        while limiter.epoch.elapsed().as_micros() == before {
            std::hint::spin_loop();
        }
    }

    #[tokio::test]
    async fn a_newcomer_gets_the_place_of_whoever_has_kept_us_waiting_longest() {
        let limiter = limiter(3, 9, &[]);
        let mut first = acquire(&limiter, "192.0.2.1").await.unwrap();
        let mut second = acquire(&limiter, "192.0.2.2").await.unwrap();
        let mut third = acquire(&limiter, "192.0.2.3").await.unwrap();
        time_passes(&limiter);
        first.wait.request_started();
        second.wait.request_started();
        second.wait.response_ready();
        let newcomer = tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move { acquire(&limiter, "192.0.2.4").await.is_some() }
        });
        third.evicted().await;
        assert!(!is_evicted(&mut first), "its request is being worked on");
        assert!(!is_evicted(&mut second), "it has just had its answer");
        drop(third);
        assert!(newcomer.await.unwrap());
    }

    #[tokio::test]
    async fn a_newcomer_waits_while_everyone_is_being_worked_on() {
        let limiter = limiter(1, 9, &[]);
        let mut first = acquire(&limiter, "192.0.2.1").await.unwrap();
        first.wait.request_started();
        let newcomer = tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move { acquire(&limiter, "192.0.2.2").await.is_some() }
        });
        tokio::time::sleep(EVICTION_RETRY * 2).await;
        assert!(!is_evicted(&mut first) && !newcomer.is_finished());
        first.wait.response_ready();
        first.evicted().await;
        drop(first);
        assert!(newcomer.await.unwrap());
    }

    #[tokio::test]
    async fn a_peer_with_too_many_connections_gives_way_to_itself_and_to_nobody_else() {
        let limiter = limiter(9, 2, &[]);
        let mut other = acquire(&limiter, "192.0.2.9").await.unwrap();
        time_passes(&limiter);
        let mut first = acquire(&limiter, "192.0.2.1").await.unwrap();
        time_passes(&limiter);
        let mut second = acquire(&limiter, "192.0.2.1").await.unwrap();
        let third = acquire(&limiter, "192.0.2.1").await.unwrap();
        assert!(is_evicted(&mut first));
        assert!(!is_evicted(&mut second) && !is_evicted(&mut other));
        second.wait.request_started();
        third.wait.request_started();
        assert!(acquire(&limiter, "192.0.2.1").await.is_none(), "both are being worked on");
        assert!(acquire(&limiter, "192.0.2.2").await.is_some());
        drop((second, third));
        assert!(acquire(&limiter, "192.0.2.1").await.is_some());
    }

    #[tokio::test]
    async fn the_slots_of_closed_connections_are_free() {
        let limiter = limiter(2, 1, &[]);
        for _ in 0..1_000 {
            drop(acquire(&limiter, "2001:db8::1").await.unwrap());
        }
        let connections = limiter.lock();
        assert!(connections.open.is_empty() && connections.of_peers.is_empty());
        assert_eq!(limiter.permits.available_permits(), 2);
    }

    #[tokio::test]
    async fn a_proxy_has_as_many_as_there_are() {
        let limiter = limiter(50, 1, &["127.0.0.0/8"]);
        let mut permits = Vec::new();
        for _ in 0..50 {
            permits.push(acquire(&limiter, LOOPBACK).await.unwrap());
        }
        assert!(!permits.iter_mut().any(is_evicted));
    }

    #[test]
    fn a_household_is_one_peer_whatever_addresses_it_takes() {
        let proxies = ["127.0.0.0/8", "::1/128", "10.0.0.7/32"].map(|proxy| proxy.parse().unwrap());
        let peer = |address: &str| peer(address.parse().unwrap(), &proxies).map(|peer| peer.to_string());
        assert_eq!(peer("2001:db8:1:2:3:4:5:6"), peer("2001:db8:1:2:ffff::1"));
        assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
        assert_eq!(peer("::ffff:192.0.2.1").as_deref(), Some("192.0.2.1"));
        for proxy in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.0.0.7", "::ffff:10.0.0.7"] {
            assert_eq!(peer(proxy), None, "{proxy}");
        }
        assert_eq!(peer("10.0.0.8").as_deref(), Some("10.0.0.8"));
    }
}
