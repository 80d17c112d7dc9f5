//! How many connections there may be, in all and of one peer, and who gives way where there is no room.
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

use super::SAID_AGAIN;
use super::turn::Turn;

/// Counts the connections that this server closed of its own accord, by reason.
pub(crate) const CLOSED: &str = "orderbell_connections_closed_total";
/// The reasons.
pub(crate) const CLOSED_BECAUSE: [&str; 3] = ["no_room", "too_many_of_peer", "answer_not_taken"];

/// When all are being worked on: how long until the next look for one that is not.
const NEXT_LOOK: Duration = Duration::from_millis(100);

/// How many connections there may be.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// In all.
    pub(crate) most: usize,
    /// Of one peer.
    pub(crate) most_of_a_peer: usize,
    /// Who speaks for many, and is no such peer.
    pub(crate) proxies: Vec<IpNet>,
}

/// All who are connected.
pub(crate) struct Room {
    limits: Limits,
    places: Arc<Semaphore>,
    epoch: Instant,
    guests: Mutex<Guests>,
}

#[derive(Default)]
struct Guests {
    last: u64,
    present: HashMap<u64, Guest>,
    of_peers: HashMap<IpAddr, usize>,
    /// When it was last said that there is no room.
    said: Option<Instant>,
}

struct Guest {
    peer: Option<IpAddr>,
    turn: Arc<Turn>,
    /// Dropped to have it go.
    stays: oneshot::Sender<()>,
}

/// A connection's place, which is free again when this is dropped.
pub(crate) struct Place {
    room: Arc<Room>,
    number: u64,
    turn: Arc<Turn>,
    stays: oneshot::Receiver<()>,
    _permit: OwnedSemaphorePermit,
}

impl Room {
    /// An empty one.
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(limits.most));
        Arc::new(Self { limits, places, epoch: Instant::now(), guests: Mutex::default() })
    }

    /// Finds a place for a connection from that address, if it has one; none if the peer has too many that are being worked
    /// on.
    pub(crate) async fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let peer = address.and_then(|address| peer(address, &self.limits.proxies));
        if peer.is_some_and(|peer| !self.has_share_left(peer)) {
            return None;
        }
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
                break permit;
            }
            // Who was told to go and is still on the way makes room for this one.
            if self.lock().present.len() >= self.limits.most {
                self.make_room();
            }
            if let Ok(permit) = timeout(NEXT_LOOK, Arc::clone(&self.places).acquire_owned()).await {
                break permit.ok()?;
            }
        };
        Some(self.seat(peer, permit))
    }

    /// Closes the connection that has kept us waiting longest, if one does.
    pub(crate) fn make_room(&self) {
        let mut guests = self.lock();
        if guests.said.is_none_or(|said| said.elapsed() > SAID_AGAIN) {
            guests.said = Some(Instant::now());
            tracing::warn!(
                connections = guests.present.len(),
                "there is no room for more connections: those that wait longest are closed"
            );
        }
        if guests.dismiss(|_| true) {
            metrics::counter!(CLOSED, "because" => "no_room").increment(1);
        }
    }

    /// Whether the peer may have another connection, for which one of its own may have given way.
    fn has_share_left(&self, peer: IpAddr) -> bool {
        let mut guests = self.lock();
        if guests.of_peers.get(&peer).is_none_or(|present| *present < self.limits.most_of_a_peer) {
            return true;
        }
        metrics::counter!(CLOSED, "because" => "too_many_of_peer").increment(1);
        guests.dismiss(|guest| guest.peer == Some(peer))
    }

    fn seat(self: &Arc<Self>, peer: Option<IpAddr>, permit: OwnedSemaphorePermit) -> Place {
        let turn = Arc::new(Turn::new(self.epoch));
        let (sender, stays) = oneshot::channel();
        let mut guests = self.lock();
        guests.last += 1;
        let number = guests.last;
        guests.present.insert(number, Guest { peer, turn: Arc::clone(&turn), stays: sender });
        if let Some(peer) = peer {
            *guests.of_peers.entry(peer).or_default() += 1;
        }
        drop(guests);
        Place { room: Arc::clone(self), number, turn, stays, _permit: permit }
    }

    /// How many connections there are.
    #[cfg(test)]
    pub(crate) fn present(&self) -> usize {
        self.lock().present.len()
    }

    fn lock(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    /// Has the one of those who has kept us waiting longest go; answers whether there was one.
    fn dismiss(&mut self, is_one: impl Fn(&Guest) -> bool) -> bool {
        let waiting = self.present.iter().filter(|(_, guest)| is_one(guest));
        let since = waiting.filter_map(|(number, guest)| Some((guest.turn.clients_since()?, *number)));
        let longest = since.min();
        longest.is_some_and(|(_, number)| self.remove(number))
    }

    fn remove(&mut self, number: u64) -> bool {
        let Some(Guest { peer, stays, .. }) = self.present.remove(&number) else { return false };
        drop(stays);
        if let Some(peer) = peer
            && let Some(present) = self.of_peers.get_mut(&peer)
        {
            *present -= 1;
            if *present == 0 {
                self.of_peers.remove(&peer);
            }
        }
        true
    }
}

impl Place {
    /// Whose turn it is on the connection.
    pub(crate) fn turn(&self) -> &Arc<Turn> {
        &self.turn
    }

    /// Waits until the connection has to give way to another.
    pub(crate) async fn given_up(&mut self) {
        let _dropped = (&mut self.stays).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.lock().remove(self.number);
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

    fn room(most: usize, most_of_a_peer: usize, proxies: &[&str]) -> Arc<Room> {
        let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        Room::new(Limits { most, most_of_a_peer, proxies })
    }

    async fn admit(room: &Arc<Room>, address: &str) -> Option<Place> {
        room.admit(Some(address.parse().unwrap())).await
    }

    /// Whether a connection was told to go.
    fn is_given_up(place: &mut Place) -> bool {
        place.stays.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    /// Lets the clock move, which has microseconds.
    fn time_passes(room: &Room) {
        let before = room.epoch.elapsed().as_micros();
        while room.epoch.elapsed().as_micros() == before {
            std::hint::spin_loop();
        }
    }

    #[tokio::test]
    async fn a_newcomer_gets_the_place_of_whoever_has_kept_us_waiting_longest() {
        let room = room(3, 9, &[]);
        let mut first = admit(&room, "192.0.2.1").await.unwrap();
        let mut second = admit(&room, "192.0.2.2").await.unwrap();
        let mut third = admit(&room, "192.0.2.3").await.unwrap();
        time_passes(&room);
        first.turn.becomes_ours();
        second.turn.becomes_ours();
        second.turn.becomes_the_clients();
        let newcomer = tokio::spawn({
            let room = Arc::clone(&room);
            async move { admit(&room, "192.0.2.4").await.is_some() }
        });
        third.given_up().await;
        assert!(!is_given_up(&mut first), "its request is being worked on");
        assert!(!is_given_up(&mut second), "it has just had its answer");
        drop(third);
        assert!(newcomer.await.unwrap());
    }

    #[tokio::test]
    async fn a_newcomer_waits_while_everyone_is_being_worked_on() {
        let room = room(1, 9, &[]);
        let mut first = admit(&room, "192.0.2.1").await.unwrap();
        first.turn.becomes_ours();
        let newcomer = tokio::spawn({
            let room = Arc::clone(&room);
            async move { admit(&room, "192.0.2.2").await.is_some() }
        });
        tokio::time::sleep(NEXT_LOOK * 2).await;
        assert!(!is_given_up(&mut first) && !newcomer.is_finished());
        first.turn.becomes_the_clients();
        first.given_up().await;
        drop(first);
        assert!(newcomer.await.unwrap());
    }

    #[tokio::test]
    async fn a_peer_with_too_many_connections_gives_way_to_itself_and_to_nobody_else() {
        let room = room(9, 2, &[]);
        let mut other = admit(&room, "192.0.2.9").await.unwrap();
        time_passes(&room);
        let mut first = admit(&room, "192.0.2.1").await.unwrap();
        time_passes(&room);
        let mut second = admit(&room, "192.0.2.1").await.unwrap();
        let third = admit(&room, "192.0.2.1").await.unwrap();
        assert!(is_given_up(&mut first));
        assert!(!is_given_up(&mut second) && !is_given_up(&mut other));
        second.turn.becomes_ours();
        third.turn.becomes_ours();
        assert!(admit(&room, "192.0.2.1").await.is_none(), "both are being worked on");
        assert!(admit(&room, "192.0.2.2").await.is_some());
        drop((second, third));
        assert!(admit(&room, "192.0.2.1").await.is_some());
    }

    #[tokio::test]
    async fn what_was_left_is_forgotten() {
        let room = room(2, 1, &[]);
        for _ in 0..1_000 {
            drop(admit(&room, "2001:db8::1").await.unwrap());
        }
        let guests = room.lock();
        assert!(guests.present.is_empty() && guests.of_peers.is_empty());
        assert_eq!(room.places.available_permits(), 2);
    }

    #[tokio::test]
    async fn a_proxy_has_as_many_as_there_are() {
        let room = room(50, 1, &["127.0.0.0/8"]);
        let mut places = Vec::new();
        for _ in 0..50 {
            places.push(admit(&room, LOOPBACK).await.unwrap());
        }
        assert!(!places.iter_mut().any(is_given_up));
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
