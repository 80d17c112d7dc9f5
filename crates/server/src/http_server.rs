//! The HTTP server: takes connections, gives none of them for ever, and ends in good order.

use std::io;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use crate::workers::{Stop, stopped};

/// How long a request's head may take to arrive, and a connection may lie idle between requests.
const HEAD: Duration = Duration::from_secs(30);
/// How long requests in flight may take to end once the program is to end.
const GRACE: Duration = Duration::from_secs(10);
/// How long to wait when the system has no more connections to give.
const EXHAUSTED: Duration = Duration::from_secs(1);

/// Serves until the program is to end, then lets requests in flight come to theirs.
#[expect(clippy::disallowed_methods, reason = "each connection is a task, and a shell may wait")]
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: Stop) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted.and_then(|(stream, _)| prepared(stream)) {
            Ok(stream) => {
                let connection = http.serve_connection(stream, TowerToHyperService::new(router.clone()));
                // A connection that breaks off is its client's business.
                tokio::spawn(connections.watch(connection));
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(GRACE, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight");
    }
}

/// Answers go out at once instead of waiting for more.
fn prepared(stream: TcpStream) -> io::Result<TokioIo<TcpStream>> {
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}

/// The client went away while it was being let in.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput | NotConnected
    )
}
