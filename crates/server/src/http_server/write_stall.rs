//! A time-out for writes of an answer that stall.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;

use super::client_wait::ClientWait;
use super::connection_limiter::CLOSED_METRIC;

/// A connection that breaks off where an answer stalls for too long.
pub(crate) struct WriteStallTimeout<S> {
    stream: TokioIo<S>,
    wait: Arc<ClientWait>,
    timeout: Duration,
    /// Runs while the client takes nothing.
    write_stall: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteStallTimeout<S> {
    /// One on which an answer may stall for so long.
    pub(crate) fn new(stream: S, wait: &Arc<ClientWait>, timeout: Duration) -> Self {
        Self { stream: TokioIo::new(stream), wait: Arc::clone(wait), timeout, write_stall: None }
    }

    /// Looks at whether something was `written`.
    #[expect(clippy::disallowed_methods, reason = "this is where a client is waited for")]
    fn watched(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.wait.progressed();
            self.write_stall = None;
            return written;
        }
        let timeout = self.timeout;
        let write_stall = self.write_stall.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        ready!(write_stall.as_mut().poll(context));
        metrics::counter!(CLOSED_METRIC, "because" => "answer_not_taken").increment(1);
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> Read for WriteStallTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> Write for WriteStallTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.watched(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
