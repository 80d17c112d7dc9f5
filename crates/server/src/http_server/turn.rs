//! Whose turn it is on a connection: ours, while a request is worked on, or the client's, and since when.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::Instant;

/// It is our turn, who keep nobody waiting.
const OURS: u64 = u64::MAX;

/// Whose turn it is. The connection's own task changes it; who looks for room reads it.
#[derive(Debug)]
pub(crate) struct Turn {
    epoch: Instant,
    /// The time since `epoch`, in microseconds, at which it became the client's turn; or [`OURS`].
    clients_since: AtomicU64,
}

impl Turn {
    /// The client's, from now on. All of a server's are counted from the same `epoch`.
    pub(crate) fn new(epoch: Instant) -> Self {
        let turn = Self { epoch, clients_since: AtomicU64::new(OURS) };
        turn.becomes_the_clients();
        turn
    }

    /// Since when the client has kept us waiting; `None` while it does not.
    pub(crate) fn clients_since(&self) -> Option<u64> {
        Some(self.clients_since.load(Relaxed)).filter(|since| *since != OURS)
    }

    /// A request came. Gives the time.
    pub(crate) fn becomes_ours(&self) -> u64 {
        self.clients_since.store(OURS, Relaxed);
        self.now()
    }

    /// The answer is ready: now the client has to take it, and then to ask again.
    pub(crate) fn becomes_the_clients(&self) {
        self.clients_since.store(self.now(), Relaxed);
    }

    /// The client took some of an answer.
    pub(crate) fn goes_on(&self) {
        if self.clients_since().is_some() {
            self.becomes_the_clients();
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(OURS - 1)
    }
}

/// A request's body. Whoever reads it waits for the client, who has had the turn since the request began: that it sends a
/// byte now and then changes nothing.
pub(crate) struct Arriving {
    body: Incoming,
    turn: Arc<Turn>,
    asked: u64,
}

impl Arriving {
    /// The body of the request that began at that time.
    pub(crate) fn new(body: Incoming, turn: Arc<Turn>, asked: u64) -> Self {
        Self { body, turn, asked }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        let whose = if frame.is_pending() { self.asked } else { OURS };
        self.turn.clients_since.store(whose, Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
