//! What each peer is given to do, and how that is measured.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::ValueEnum;

use super::peer::{Peer, Places, inserted_per_second};
use crate::latency::told_after;
use crate::load::{self, Full, paced};
use crate::receiver::Receiver;
use crate::report::spread::quantile_ms;

/// Connections over which orders come as fast as they are taken.
const CONNECTIONS: usize = 64;
const FULL: Full = Full { length: Duration::from_secs(3), ..Full::over(CONNECTIONS) };
/// Messages that wait before a drain, over all endpoints.
const WAITING: usize = 10_000;
/// What waits is not counted further after this.
const LONGEST_DRAIN: Duration = Duration::from_secs(12);
/// How long orders come at a steady rate before any is counted, and from then on.
const PACED_WARM_UP: Duration = Duration::from_secs(2);
const PACED: Duration = Duration::from_secs(4);
/// How long after the last order its messages are waited for. What did not come by then counts as if it came then.
const LONGEST_LAG: Duration = Duration::from_secs(4);

/// What a peer is given to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// Orders as fast as they are taken, of which nobody is told.
    Taken,
    /// Orders as fast as they are taken, of which one endpoint is told meanwhile.
    Told1,
    /// Orders as fast as they are taken, of which ten endpoints are told meanwhile.
    Told10,
    /// What waits for one endpoint.
    Drain1,
    /// What waits for twenty endpoints.
    Drain20,
    /// 400 orders a second, of which one endpoint is told.
    Paced1,
    /// 200 orders a second, of which ten endpoints are told.
    Paced10,
}

impl Work {
    /// What is told of it, with the units.
    pub(super) fn figures(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Taken => &[("taken, no subscriber", "/s")],
            Self::Told1 => &[("taken, 1 subscriber", "/s"), ("told meanwhile, 1 subscriber", "/s")],
            Self::Told10 => &[("taken, 10 subscribers", "/s"), ("told meanwhile, 10 subscribers", "/s")],
            Self::Drain1 => &[("drained, 1 endpoint", "/s")],
            Self::Drain20 => &[("drained, 20 endpoints", "/s")],
            Self::Paced1 => &[
                ("400 orders/s × 1, accepted to told, p50", "ms"),
                ("400 orders/s × 1, accepted to told, p99", "ms"),
            ],
            Self::Paced10 => &[
                ("200 orders/s × 10, accepted to told, p50", "ms"),
                ("200 orders/s × 10, accepted to told, p99", "ms"),
            ],
        }
    }

    fn endpoints(self) -> usize {
        match self {
            Self::Taken => 0,
            Self::Told1 | Self::Drain1 | Self::Paced1 => 1,
            Self::Told10 | Self::Paced10 => 10,
            Self::Drain20 => 20,
        }
    }

    /// Whether it can be asked of the peer, and says something beside what others are asked.
    pub(super) fn is_for(self, peer: Peer) -> bool {
        match peer {
            Peer::Orderbell | Peer::GraphileWorker | Peer::PgBoss => true,
            Peer::OrderbellAtOnce => matches!(self, Self::Told1 | Self::Drain1),
            // It keeps nothing of what is still to be told.
            Peer::Recipe => !matches!(self, Self::Drain1 | Self::Drain20),
            Peer::Postgres => self == Self::Taken,
        }
    }

    /// Gives it to the peer, with an empty store; answers each of the [`figures`](Self::figures).
    pub(super) fn measure(self, peer: Peer, places: &Places) -> Result<Vec<f64>> {
        if peer == Peer::Postgres {
            return Ok(vec![inserted_per_second(places, CONNECTIONS, FULL.length.as_secs())?]);
        }
        match self {
            Self::Taken | Self::Told1 | Self::Told10 => self.full(peer, places),
            Self::Drain1 | Self::Drain20 => self.drain(peer, places),
            Self::Paced1 => self.paced(peer, places, 400.0),
            Self::Paced10 => self.paced(peer, places, 200.0),
        }
    }

    fn full(self, peer: Peer, places: &Places) -> Result<Vec<f64>> {
        let receiver = Receiver::start()?;
        let running = peer.start(places, &receiver, self.endpoints())?;
        let taken = load::full(running.address(), FULL, || receiver.taken())?;
        Ok(match self {
            Self::Taken => vec![taken.per_second],
            _ => vec![taken.per_second, taken.watched_per_second],
        })
    }

    fn drain(self, peer: Peer, places: &Places) -> Result<Vec<f64>> {
        let receiver = Receiver::start()?;
        let _running =
            peer.start_with_waiting(places, &receiver, self.endpoints(), WAITING / self.endpoints())?;
        Ok(vec![drained_per_second(&receiver)?])
    }

    fn paced(self, peer: Peer, places: &Places, per_second: f64) -> Result<Vec<f64>> {
        let receiver = Receiver::with_arrivals()?;
        let running = peer.start(places, &receiver, self.endpoints())?;
        let before = paced::place(running.address(), per_second, PACED_WARM_UP)?;
        let accepted = paced::place(running.address(), per_second, PACED)?;
        receiver.wait_for((before.len() + accepted.len()) * self.endpoints(), LONGEST_LAG);
        let times = told_after(&accepted, &receiver.arrivals(), self.endpoints(), Instant::now());
        Ok([0.5, 0.99].map(|share| quantile_ms(&times.told, share)).into())
    }
}

/// How many messages a second came, from the first one until all have or the time is over.
fn drained_per_second(receiver: &Receiver) -> Result<f64> {
    let begun = Instant::now();
    let mut first = None;
    loop {
        let taken = receiver.taken();
        if taken > 0 && first.is_none() {
            first = Some((Instant::now(), taken));
        }
        let over = begun.elapsed() > LONGEST_DRAIN;
        if let Some((start, before)) =
            first.filter(|_| over || usize::try_from(taken).is_ok_and(|it| it >= WAITING))
        {
            return Ok(f64::from(taken - before) / start.elapsed().as_secs_f64());
        }
        ensure!(!over, "nothing of what waits was told");
        thread::sleep(Duration::from_micros(200));
    }
}
