//! The HTTP server: takes connections, gives none of them for ever, and ends in good order.
//!
//! Each core has a thread with a runtime of its own, and a connection stays on the thread it came to: a request is
//! never handed between cores on its way, but for the store's writer.

use std::io;
use std::num::NonZero;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::mpsc;

use crate::workers::{Stop, stopped};

/// How long a request's head may take to arrive, and a connection may lie idle between requests.
const HEAD: Duration = Duration::from_secs(30);
/// How long requests in flight may take to end once the program is to end.
const GRACE: Duration = Duration::from_secs(10);
/// How long to wait when the system has no more connections to give.
const EXHAUSTED: Duration = Duration::from_secs(1);

/// A thread that serves connections.
struct Lane {
    connections: mpsc::UnboundedSender<std::net::TcpStream>,
    thread: JoinHandle<()>,
}

/// Serves until the program is to end, then lets requests in flight come to theirs.
///
/// # Errors
/// The system gives no threads.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: Stop) -> io::Result<()> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let lanes: Vec<_> =
        (0..cores).map(|_| Lane::start(router.clone(), stop.clone())).collect::<io::Result<_>>()?;
    tokio::select! {
        () = accept(&listener, &lanes) => {}
        () = stopped(&mut stop) => {}
    }
    drop(listener);
    for lane in lanes {
        let _ = tokio::task::spawn_blocking(move || lane.thread.join()).await;
    }
    Ok(())
}

/// Takes connections and deals them out to the lanes in turn.
#[expect(clippy::disallowed_methods, reason = "a shell may wait")]
async fn accept(listener: &TcpListener, lanes: &[Lane]) {
    for lane in lanes.iter().cycle() {
        match listener.accept().await.and_then(|(stream, _)| prepared(stream)) {
            // A lane takes no more only when the program ends.
            Ok(stream) => drop(lane.connections.send(stream)),
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

/// Answers go out at once instead of waiting for more; the lane's own runtime will wait for the requests.
fn prepared(stream: TcpStream) -> io::Result<std::net::TcpStream> {
    stream.set_nodelay(true)?;
    stream.into_std()
}

/// The client went away while it was being let in.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput | NotConnected
    )
}

impl Lane {
    fn start(router: Router, stop: Stop) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, incoming) = mpsc::unbounded_channel();
        let lane = move || runtime.block_on(serve_lane(incoming, router, HEAD, stop));
        let thread = thread::Builder::new().name("http".to_owned()).spawn(lane)?;
        Ok(Self { connections, thread })
    }
}

#[expect(clippy::disallowed_methods, reason = "each connection is a task")]
async fn serve_lane(
    mut incoming: mpsc::UnboundedReceiver<std::net::TcpStream>,
    router: Router,
    head: Duration,
    mut stop: Stop,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head);
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            Some(stream) = incoming.recv() => stream,
            () = stopped(&mut stop) => break,
        };
        match TcpStream::from_std(stream) {
            Ok(stream) => {
                let service = TowerToHyperService::new(router.clone());
                // A connection that breaks off is its client's business.
                tokio::spawn(connections.watch(http.serve_connection(TokioIo::new(stream), service)));
            }
            Err(error) => tracing::error!(%error, "a connection cannot be served"),
        }
    }
    if tokio::time::timeout(GRACE, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::watch;
    use tokio::time::{Instant, timeout};

    use super::*;

    const SHORT: Duration = Duration::from_millis(500);
    const LONG: Duration = Duration::from_secs(10);

    /// What a lane that waits a `SHORT` time for a head answers, until it closes the connection, to a client that sends
    /// these bytes; and how long the lane kept it.
    async fn answered(sent: &[u8]) -> (String, Duration) {
        let (_stop, stopping) = watch::channel(false);
        let (connections, incoming) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = async {
            let since = Instant::now();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            connections.send(prepared(listener.accept().await.unwrap().0).unwrap()).unwrap();
            client.write_all(sent).await.unwrap();
            let mut answer = String::new();
            timeout(LONG, client.read_to_string(&mut answer)).await.unwrap().unwrap();
            (answer, since.elapsed())
        };
        tokio::select! {
            answered = client => answered,
            () = serve_lane(incoming, Router::new(), SHORT, stopping) => panic!("the lane ended"),
        }
    }

    #[tokio::test]
    async fn a_client_that_never_ends_its_requests_head_is_cut_off() {
        let (answer, kept) = answered(b"POST /create-order HTTP/1.1\r\nHost: localhost\r\n").await;
        assert_eq!(answer, "");
        assert!(kept >= SHORT, "{kept:?}");
    }

    #[tokio::test]
    async fn a_connection_on_which_nothing_comes_is_closed() {
        for (sent, expected) in [("", ""), ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404")] {
            let (answer, kept) = answered(sent.as_bytes()).await;
            assert!(answer.starts_with(expected) && answer.is_empty() == expected.is_empty(), "{answer}");
            assert!(kept >= SHORT, "{kept:?}");
        }
    }
}
