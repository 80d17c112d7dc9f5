//! The HTTP server: takes connections, gives none of them for ever, and ends in good order.
//!
//! Each core has a thread with a runtime of its own, and a connection stays on the thread it came to: a request is
//! never handed between cores on its way, but for the store's writer.
//!
//! No client can take more than its share. A request's head has to arrive within [`HEAD`] and is small, its body within
//! the time that `web` gives it; an answer has to be taken, however slowly, without standing still for [`STANDSTILL`];
//! the next request is read only then. How many connections there are is limited (`room`).

mod forwarded;
mod line;
mod room;
mod turn;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
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
use tower::ServiceExt;

pub(crate) use self::line::Line;
pub(crate) use self::room::{CLOSED_BECAUSE, Limits, Place, Room};
use self::turn::{Arriving, Turn};
use driver::{Stop, stopped};

/// How long a request's head may take to arrive, and a connection may lie idle between requests.
pub(crate) const HEAD: Duration = Duration::from_secs(30);
/// How long an answer may stand still while the client takes nothing of it. One that takes four kilobytes in a
/// second is waited for, however long all of it takes; a slower one may seem to stand still, since its system tells ours
/// only at each larger step that it took something.
pub(crate) const STANDSTILL: Duration = Duration::from_mins(1);
/// The largest head of a request, in bytes, and how much is read ahead of what was asked for. A larger one, or one of
/// more than a hundred fields, is answered 431.
const LARGEST_HEAD: usize = 16 * 1024;
/// What the system keeps of an answer until the client takes it, in bytes; Linux doubles it for its own needs.
const UNSENT: u32 = 64 * 1024;
/// How many connections may wait to be taken. One that comes when as many do is tried again by its client's system only
/// after a second; Linux itself allows no more by default (`net.core.somaxconn`).
const BACKLOG: u32 = 4_096;
/// How long requests in flight may take to end once the program is to end.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// How long to wait when the system has no more connections to give.
pub(crate) const EXHAUSTED: Duration = Duration::from_millis(100);
/// How long until what goes on is said again.
const SAID_AGAIN: Duration = Duration::from_mins(1);

/// A connection that was taken, and its place.
struct Arrival {
    stream: std::net::TcpStream,
    address: IpAddr,
    place: Place,
}

/// A thread that serves connections.
struct Lane {
    connections: mpsc::UnboundedSender<Arrival>,
    thread: JoinHandle<()>,
}

/// How long a lane waits for its clients.
#[derive(Clone, Copy)]
struct Timeouts {
    head: Duration,
    standstill: Duration,
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
    socket.set_send_buffer_size(UNSENT)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until the program is to end, then lets requests in flight come to theirs.
///
/// # Errors
/// The system gives no threads.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stop: Stop,
) -> io::Result<()> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let lanes: Vec<_> = (0..cores)
        .map(|_| Lane::start(router.clone(), &limits.proxies, stop.clone()))
        .collect::<io::Result<_>>()?;
    let room = Room::new(limits);
    tokio::select! {
        () = accept(&listener, &room, &lanes) => {}
        () = stopped(&mut stop) => {}
    }
    drop(listener);
    for lane in lanes {
        let _ = tokio::task::spawn_blocking(move || lane.thread.join()).await;
    }
    Ok(())
}

/// Takes connections and deals them out to the lanes in turn, until one takes no more: the program ends, or the lane
/// broke off.
#[expect(clippy::disallowed_methods, reason = "a shell may wait")]
async fn accept(listener: &TcpListener, room: &Arc<Room>, lanes: &[Lane]) {
    let mut said: Option<Instant> = None;
    for lane in lanes.iter().cycle() {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(place) = room.admit(Some(peer.ip())).await else { continue };
                // A client that is gone already needs no lane.
                let Ok(stream) = prepared(stream) else { continue };
                if lane.connections.send(Arrival { stream, address: peer.ip(), place }).is_err() {
                    return;
                }
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                if said.is_none_or(|said| said.elapsed() > SAID_AGAIN) {
                    said = Some(Instant::now());
                    tracing::error!(%error, "no connection can be taken");
                }
                room.make_room();
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
    fn start(router: Router, proxies: &[IpNet], stop: Stop) -> io::Result<Self> {
        let proxies = Arc::from(proxies);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, incoming) = mpsc::unbounded_channel();
        let lane = move || {
            runtime.block_on(serve_lane(
                incoming,
                router,
                proxies,
                Timeouts { head: HEAD, standstill: STANDSTILL },
                stop,
            ));
            // What still reads the store for nobody is not waited for.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("http".to_owned()).spawn(lane)?;
        Ok(Self { connections, thread })
    }
}

#[expect(clippy::disallowed_methods, reason = "each connection is a task")]
async fn serve_lane(
    mut incoming: mpsc::UnboundedReceiver<Arrival>,
    router: Router,
    proxies: Arc<[IpNet]>,
    timeout: Timeouts,
    mut stop: Stop,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(timeout.head).max_buf_size(LARGEST_HEAD);
    let connections = GracefulShutdown::new();
    loop {
        let Arrival { stream, address, mut place } = tokio::select! {
            Some(arrival) = incoming.recv() => arrival,
            () = stopped(&mut stop) => break,
        };
        match TcpStream::from_std(stream) {
            Ok(stream) => {
                let (line, turn) =
                    (Line::new(stream, place.turn(), timeout.standstill), Arc::clone(place.turn()));
                let (router, proxies) = (router.clone(), Arc::clone(&proxies));
                let answer = move |mut request: Request<Incoming>| {
                    let client = forwarded::client(address, request.headers(), &proxies);
                    request.extensions_mut().insert(web::Client::At(client));
                    answer(router.clone(), request, Arc::clone(&turn))
                };
                let connection = connections.watch(http.serve_connection(line, service_fn(answer)));
                tokio::spawn(async move {
                    tokio::select! {
                        // A connection that breaks off is its client's business.
                        _ = connection => {}
                        () = place.given_up() => {}
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
    router: Router,
    request: Request<Incoming>,
    turn: Arc<Turn>,
) -> Result<Response, std::convert::Infallible> {
    let asked = turn.becomes_ours();
    let request = request.map(|body| Arriving::new(body, Arc::clone(&turn), asked));
    let answer = router.oneshot(request).await;
    turn.becomes_the_clients();
    answer
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "clients are tasks, and slow ones wait")]
mod tests;
