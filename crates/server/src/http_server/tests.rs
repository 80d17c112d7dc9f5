//! Clients that do not do their part, on real sockets.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use axum::Router;
use axum::body::Bytes;
use axum::routing::{any, get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;

use super::*;

const SHORT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(20);
/// Far more than the system keeps on its way.
const LARGE: usize = 16 * 1024 * 1024;

const WANTS_LARGE: &[u8] = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn router(counted: &Arc<AtomicUsize>) -> Router {
    let counted = Arc::clone(counted);
    let count = async move || {
        counted.fetch_add(1, Relaxed);
    };
    Router::new()
        .route("/counted", any(count))
        .route("/large", get(async || vec![b'x'; LARGE]))
        .route("/body", post(async |body: Bytes| body.len().to_string()))
        .route("/unread", post(async || "your body was not read"))
}

/// A server whose timeout is `SHORT`, with these limits.
struct Server {
    address: SocketAddr,
    limiter: Arc<ConnectionLimiter>,
    /// How many requests for `/counted` were answered.
    counted: Arc<AtomicUsize>,
    _stop: watch::Sender<bool>,
    running: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.abort();
    }
}

fn server(max: usize) -> Server {
    server_with(max, ClientTimeouts { head: SHORT, write_stall: SHORT })
}

fn server_with(max: usize, timeouts: ClientTimeouts) -> Server {
    let (stop, stopping) = watch::channel(false);
    let (connections, incoming) = mpsc::unbounded_channel();
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let limiter = ConnectionLimiter::new(ConnectionLimits { max, max_per_peer: max, proxies: Vec::new() });
    let counted = Arc::default();
    let router = router(&counted);
    let worker = [WorkerThread { connections, thread: thread::spawn(|| {}) }];
    let accepting = Arc::clone(&limiter);
    let running = tokio::spawn(async move {
        tokio::join!(
            accept(&listener, &accepting, &worker),
            serve_connections(incoming, router.into(), Arc::from([]), timeouts, stopping)
        );
    });
    Server { address, limiter, counted, _stop: stop, running }
}

impl Server {
    async fn client(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A client whose system takes as little as it can of what its program does not read.
    async fn small_client(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Waits until so many connections are left.
    async fn left(&self, connections: usize) {
        while self.limiter.open() != connections {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What it answers, until it closes the connection, to a client that sends these bytes; and how long it kept it.
    async fn answered(&self, sent: &[u8]) -> (String, Duration) {
        let since = Instant::now();
        let mut client = self.client().await;
        client.write_all(sent).await.unwrap();
        (rest(&mut client).await, since.elapsed())
    }
}

/// All that still comes. A connection that is reset while it is closed is closed too.
async fn rest(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = timeout(LONG, client.read_to_end(&mut answer)).await.expect("the connection is closed");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_client_that_never_ends_its_requests_head_is_cut_off() {
    let (answer, kept) = server(9).answered(b"POST /create-order HTTP/1.1\r\nHost: localhost\r\n").await;
    assert_eq!(answer, "");
    assert!(kept >= SHORT, "{kept:?}");
}

#[tokio::test]
async fn a_connection_on_which_nothing_comes_is_closed() {
    let server = server(9);
    for (sent, expected) in [("", ""), ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404")] {
        let (answer, kept) = server.answered(sent.as_bytes()).await;
        assert!(answer.starts_with(expected) && answer.is_empty() == expected.is_empty(), "{answer}");
        assert!(kept >= SHORT, "{kept:?}");
    }
}

#[tokio::test]
async fn a_client_that_never_reads_its_answer_is_cut_off() {
    let server = server(9);
    let mut client = server.client().await;
    client.write_all(WANTS_LARGE).await.unwrap();
    timeout(LONG, server.left(1)).await.unwrap();
    timeout(LONG, server.left(0)).await.expect("the connection is closed, though nobody reads");
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_all_of_its_answer() {
    let server = server(9);
    let mut client = server.small_client().await;
    let since = Instant::now();
    client.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let (mut taken, mut buffer) = (0, vec![0; LARGE / 40]);
    loop {
        let read = timeout(LONG, client.read(&mut buffer)).await.unwrap().unwrap();
        taken += read;
        if read == 0 {
            break;
        }
        // Four times the timeout in all, and never near it at a stretch.
        if since.elapsed() < SHORT * 4 {
            tokio::time::sleep(SHORT / 20).await;
        }
    }
    assert!(since.elapsed() > SHORT * 4);
    assert!(taken > LARGE, "{taken}");
}

#[tokio::test]
async fn a_client_that_sends_requests_and_reads_no_answer_is_answered_no_further() {
    for method in ["HEAD", "GET", "OPTIONS"] {
        let server = server_with(9, ClientTimeouts { head: LONG, write_stall: LONG });
        let mut client = server.small_client().await;
        let requests = format!("{method} /counted HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(20_000);
        // What the system takes is answered, and not one more, however long that goes on.
        let _ = timeout(SHORT * 3, async {
            client.write_all(requests.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        })
        .await;
        let answered = server.counted.load(Relaxed);
        assert!((1..4_000).contains(&answered), "{answered} answers to {method} were made for nobody");
    }
}

#[tokio::test]
async fn a_large_head_is_answered_431_and_not_kept() {
    let server = server(9);
    let head =
        |name: &str, value: usize| format!("GET / HTTP/1.1\r\nHost: x\r\n{name}: {}", "x".repeat(value));
    let fields = |count| format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(count));
    let path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(MAX_HEAD_BYTES));
    for large in [head("Cookie", MAX_HEAD_BYTES), fields(101), fields(10_000), path] {
        let (answer, kept) = server.answered(large.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        assert!(kept < SHORT, "{kept:?}");
    }
    for fits in [head("Cookie", MAX_HEAD_BYTES / 2) + "\r\n\r\n", fields(99)] {
        let (answer, _) = server.answered(fits.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}

#[tokio::test]
async fn what_is_no_request_or_asks_for_another_protocol_is_answered_and_ended() {
    let server = server(9);
    for (sent, expected) in [
        ("hello\r\n\r\n", "HTTP/1.1 400"),
        ("\u{16}\u{3}\u{1}\r\n\r\n", "HTTP/1.1 400"),
        ("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", "HTTP/1.1 404"),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 404"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
        ("GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 404"),
    ] {
        let (answer, _) = server.answered(sent.as_bytes()).await;
        assert!(answer.starts_with(expected), "{sent:?}: {answer}");
        assert!(!answer.contains("101 Switching"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_not_waited_for() {
    let server = server(9);
    let head = "Host: x\r\nExpect: 100-continue\r\nContent-Length: 9000000000\r\n\r\n";
    let (answer, kept) = server.answered(format!("POST /unread HTTP/1.1\r\n{head}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("your body was not read"), "{answer}");
    assert!(kept < LONG, "{kept:?}");
}

#[tokio::test]
async fn where_there_is_no_room_whoever_waits_longest_goes_and_the_newcomer_is_answered() {
    let server = server(8);
    let body = "POST /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    for (sent, begun) in
        [("", 0), ("GET / HTTP/1.1\r\nHost:", 0), (body, "HTTP/1.1 100 Continue\r\n\r\n".len())]
    {
        let mut waiting = Vec::new();
        for _ in 0..40 {
            let mut client = server.client().await;
            client.write_all(sent.as_bytes()).await.unwrap();
            let heard = timeout(LONG, client.read_exact(&mut vec![0; begun])).await;
            heard.expect("room for one more").unwrap();
            waiting.push(client);
            let (answer, _) =
                server.answered(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
            assert!(answer.starts_with("HTTP/1.1 404"), "beside {sent:?}: {answer}");
            assert!(server.limiter.open() <= 8);
        }
    }
}

#[tokio::test]
async fn where_nobody_reads_answers_the_newcomer_is_answered() {
    let server = server(8);
    let mut waiting = Vec::new();
    for _ in 0..40 {
        let mut client = server.client().await;
        client.write_all(WANTS_LARGE).await.unwrap();
        waiting.push(client);
        let (answer, _) = server.answered(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}

#[tokio::test]
async fn a_thousand_clients_that_come_and_go_leave_nothing_behind() {
    let server = server(8);
    for _ in 0..1_000 {
        drop(server.client().await);
    }
    let (answer, _) = server.answered(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    timeout(LONG, server.left(0)).await.unwrap();
}

#[tokio::test]
async fn the_server_ends_though_a_thread_of_one_of_its_requests_waits_for_ever() {
    let (for_ever, wait) = std::sync::mpsc::channel::<()>();
    let wait = Arc::new(std::sync::Mutex::new(wait));
    let hanging = async move || {
        tokio::task::spawn_blocking(move || wait.lock().map(|wait| wait.recv().is_ok()).is_ok());
        "begun"
    };
    let router = Router::new().route("/", get(hanging));
    let (stop, stopping) = watch::channel(false);
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let limits = ConnectionLimits { max: 9, max_per_peer: 9, proxies: Vec::new() };
    let serving = tokio::spawn(serve(listener, router.into(), limits, std::future::pending, stopping));
    let answer = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        client.read_to_string(&mut answer).map(|_| answer)
    });
    assert!(answer.await.unwrap().unwrap().ends_with("begun"));
    stop.send_replace(true);
    timeout(LONG, serving).await.expect("the server ends").unwrap().unwrap();
    drop(for_ever);
}
