//! Since when a client has kept us waiting on its connection: not at all while a request is worked on.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::Instant;

/// A request is being worked on: nobody is waited for.
const NOT_WAITING: u64 = u64::MAX;

/// Since when the client has kept us waiting. The connection's own task changes it; the limiter reads it.
#[derive(Debug)]
pub(crate) struct ClientWait {
    epoch: Instant,
    /// The time since `epoch`, in microseconds, since which the client is waited for; or [`NOT_WAITING`].
    waiting_since: AtomicU64,
}

impl ClientWait {
    /// Waits for the client from now on. All of a server's are counted from the same `epoch`.
    pub(crate) fn new(epoch: Instant) -> Self {
        let wait = Self { epoch, waiting_since: AtomicU64::new(NOT_WAITING) };
        wait.response_ready();
        wait
    }

    /// Since when the client has kept us waiting; `None` while it does not.
    pub(crate) fn waiting_since(&self) -> Option<u64> {
        Some(self.waiting_since.load(Relaxed)).filter(|since| *since != NOT_WAITING)
    }

    /// A request came. Returns the time.
    pub(crate) fn request_started(&self) -> u64 {
        self.waiting_since.store(NOT_WAITING, Relaxed);
        self.now()
    }

    /// The answer is ready: now the client has to take it, and then to ask again.
    pub(crate) fn response_ready(&self) {
        self.waiting_since.store(self.now(), Relaxed);
    }

    /// The client took some of an answer.
    pub(crate) fn progressed(&self) {
        if self.waiting_since().is_some() {
            self.response_ready();
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(NOT_WAITING - 1)
    }
}

/// A request's body. Whoever reads it waits for the client, who is waited for since the request began: that it sends a
/// byte now and then changes nothing.
pub(crate) struct TrackedBody {
    body: Incoming,
    wait: Arc<ClientWait>,
    asked: u64,
}

impl TrackedBody {
    /// The body of the request that began at that time.
    pub(crate) fn new(body: Incoming, wait: Arc<ClientWait>, asked: u64) -> Self {
        Self { body, wait, asked }
    }
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        let whose = if frame.is_pending() { self.asked } else { NOT_WAITING };
        self.wait.waiting_since.store(whose, Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
