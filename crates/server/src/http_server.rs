//! The HTTP server: takes connections, waits for none of them for ever, and shuts down in good order.
//!
//! Each core has a thread with a runtime of its own, and a connection stays on the thread it came to: a request is
//! never handed between cores on its way, but for the store's writer.
//!
//! No client can take more than its share. A request's head has to arrive within [`HEAD_TIMEOUT`] and is small, its body
//! within the time that `web` gives it; an answer has to be taken, however slowly, without standing still for
//! [`WRITE_STALL_TIMEOUT`]; the next request is read only then. How many connections there are is limited
//! (`connection_limiter`).

mod client_wait;
mod connection_limiter;
mod forwarded;
mod write_stall;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::client_wait::{ClientWait, TrackedBody};
pub(crate) use self::connection_limiter::{
    CLOSE_REASONS, ConnectionLimiter, ConnectionLimits, ConnectionSlot,
};
pub(crate) use self::write_stall::WriteStallTimeout;
use driver::{Stop, stopped};
use web::Site;

/// How long a request's head may take to arrive, and a connection may lie idle between requests.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an answer may stand still while the client takes nothing of it. One that takes four kilobytes in a
/// second is waited for, however long all of it takes; a slower one may seem to stand still, since its system tells ours
/// only at each larger step that it took something.
pub(crate) const WRITE_STALL_TIMEOUT: Duration = Duration::from_mins(1);
/// The largest head of a request, in bytes, and how much is read ahead of what was asked for. A larger one, or one of
/// more than a hundred fields, is answered 431.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The send buffer of a connection, in bytes: what the system keeps of an answer until the client takes it; Linux
/// doubles it for its own needs.
const SEND_BUFFER_BYTES: u32 = 64 * 1024;
/// How many connections may wait to be taken. One that comes when as many do is tried again by its client's system only
/// after a second; Linux itself allows no more by default (`net.core.somaxconn`).
const BACKLOG: u32 = 4_096;
/// How long requests in flight may take to end once the program shuts down.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// How long to wait when the system has no more connections to give.
pub(crate) const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// How long until a condition that lasts is logged again.
const LOG_REPEAT_INTERVAL: Duration = Duration::from_mins(1);

/// A connection that was accepted, and its slot.
struct AcceptedConnection {
    stream: std::net::TcpStream,
    address: IpAddr,
    slot: ConnectionSlot,
}

/// A thread that serves connections.
struct WorkerThread {
    connections: mpsc::UnboundedSender<AcceptedConnection>,
    thread: JoinHandle<()>,
}

/// How long a worker thread waits for its clients.
#[derive(Clone, Copy)]
struct ClientTimeouts {
    head: Duration,
    write_stall: Duration,
}

/// Listens, so that connections that are taken keep little of an answer in the system.
///
/// # Errors
/// The address is not this machine's, or taken.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address.ip() {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until the program shuts down, then lets requests in flight finish. `beside` runs on each of the threads that
/// serve, and never ends.
///
/// # Errors
/// The system gives no threads.
pub(crate) async fn serve<F>(
    listener: TcpListener,
    site: Site,
    limits: ConnectionLimits,
    beside: fn() -> F,
    mut stop: Stop,
) -> io::Result<()>
where
    F: Future<Output = ()> + 'static,
{
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let workers: Vec<_> = (0..cores)
        .map(|_| WorkerThread::start(site.clone(), &limits.proxies, beside, stop.clone()))
        .collect::<io::Result<_>>()?;
    let limiter = ConnectionLimiter::new(limits);
    tokio::select! {
        () = accept(&listener, &limiter, &workers) => {}
        () = stopped(&mut stop) => {}
    }
    drop(listener);
    for worker in workers {
        let _ = tokio::task::spawn_blocking(move || worker.thread.join()).await;
    }
    Ok(())
}

/// Accepts connections and deals them out to the worker threads in turn, until one takes no more: the program shuts
/// down, or the thread broke off.
#[expect(clippy::disallowed_methods, reason = "a worker may wait")]
async fn accept(listener: &TcpListener, limiter: &Arc<ConnectionLimiter>, workers: &[WorkerThread]) {
    let mut logged_at: Option<Instant> = None;
    for worker in workers.iter().cycle() {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(slot) = limiter.acquire(Some(peer.ip())).await else { continue };
                // A client that is gone already needs no thread.
                let Ok(stream) = prepared(stream) else { continue };
                if worker.connections.send(AcceptedConnection { stream, address: peer.ip(), slot }).is_err() {
                    return;
                }
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                if logged_at.is_none_or(|logged_at| logged_at.elapsed() > LOG_REPEAT_INTERVAL) {
                    logged_at = Some(Instant::now());
                    tracing::error!(%error, "no connection can be taken");
                }
                limiter.evict_longest_waiting();
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

/// Answers go out at once instead of waiting for more; the thread's own runtime will wait for the requests.
fn prepared(stream: TcpStream) -> io::Result<std::net::TcpStream> {
    stream.set_nodelay(true)?;
    stream.into_std()
}

/// Whether the client went away while it was being accepted.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput | NotConnected
    )
}

impl WorkerThread {
    fn start<F>(site: Site, proxies: &[IpNet], beside: fn() -> F, stop: Stop) -> io::Result<Self>
    where
        F: Future<Output = ()> + 'static,
    {
        let proxies = Arc::from(proxies);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, incoming) = mpsc::unbounded_channel();
        let worker = move || {
            let timeouts = ClientTimeouts { head: HEAD_TIMEOUT, write_stall: WRITE_STALL_TIMEOUT };
            let serving = serve_connections(incoming, site, proxies, timeouts, stop);
            runtime.block_on(async {
                tokio::select! {
                    () = serving => {}
                    () = beside() => {}
                }
            });
            // What still reads the store for nobody is not waited for.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("http".to_owned()).spawn(worker)?;
        Ok(Self { connections, thread })
    }
}

#[expect(clippy::disallowed_methods, reason = "each connection is a task")]
async fn serve_connections(
    mut incoming: mpsc::UnboundedReceiver<AcceptedConnection>,
    site: Site,
    proxies: Arc<[IpNet]>,
    timeouts: ClientTimeouts,
    mut stop: Stop,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(timeouts.head).max_buf_size(MAX_HEAD_BYTES);
    let connections = GracefulShutdown::new();
    loop {
        let AcceptedConnection { stream, address, mut slot } = tokio::select! {
            Some(accepted) = incoming.recv() => accepted,
            () = stopped(&mut stop) => break,
        };
        match TcpStream::from_std(stream) {
            Ok(stream) => {
                let (stream, wait) = (
                    WriteStallTimeout::new(stream, slot.wait(), timeouts.write_stall),
                    Arc::clone(slot.wait()),
                );
                let (site, proxies) = (site.clone(), Arc::clone(&proxies));
                let answer = move |mut request: Request<Incoming>| {
                    let client = forwarded::client(address, request.headers(), &proxies);
                    request.extensions_mut().insert(web::Client::At(client));
                    answer(site.clone(), request, Arc::clone(&wait))
                };
                let connection = connections.watch(http.serve_connection(stream, service_fn(answer)));
                tokio::spawn(async move {
                    tokio::select! {
                        // A connection that breaks off is its client's business.
                        _ = connection => {}
                        () = slot.evicted() => {}
                    }
                });
            }
            Err(error) => tracing::error!(%error, "a connection cannot be served"),
        }
    }
    if tokio::time::timeout(SHUTDOWN_GRACE, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight");
    }
}

/// Answers a request. The next one on its connection is taken when this answer has been.
pub(crate) async fn answer(
    site: Site,
    request: Request<Incoming>,
    wait: Arc<ClientWait>,
) -> Result<Response, std::convert::Infallible> {
    let asked = wait.request_started();
    let request = request.map(|body| Body::new(TrackedBody::new(body, Arc::clone(&wait), asked)));
    let answer = site.answer(request).await;
    wait.response_ready();
    Ok(answer)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "clients are tasks, and slow ones wait")]
mod tests;
