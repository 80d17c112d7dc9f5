//! A receiver that takes everything at once, and one that drips its answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;

/// How slowly a dripping receiver answers.
const DRIP: Duration = Duration::from_millis(500);

type Latencies = Arc<Mutex<Vec<Duration>>>;

/// A receiver that answers at once. It lives as long as this process.
pub(super) struct Healthy {
    address: SocketAddr,
    latencies: Latencies,
}

impl Healthy {
    /// Starts it on a thread of its own.
    ///
    /// # Errors
    /// No port is free.
    pub(super) fn start() -> Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let (address, latencies) = (listener.local_addr()?, Latencies::default());
        let router = axum::Router::new().route("/healthy", post(take)).with_state(Arc::clone(&latencies));
        thread::spawn(move || runtime.block_on(axum::serve(listener, router).into_future()));
        Ok(Self { address, latencies })
    }

    /// Its endpoint.
    pub(super) fn url(&self) -> String {
        format!("http://{}/healthy", self.address)
    }

    /// Waits, up to `timeout`, for so many notifications; gives how many came.
    pub(super) fn wait_for(&self, count: usize, timeout: Duration) -> usize {
        let start = Instant::now();
        while lock(&self.latencies).len() < count && start.elapsed() < timeout {
            thread::sleep(Duration::from_millis(20));
        }
        lock(&self.latencies).len().min(count)
    }

    /// How long each notification took from its order's acceptance to its arrival.
    pub(super) fn latencies(&self) -> Vec<Duration> {
        lock(&self.latencies).clone()
    }
}

fn lock(latencies: &Latencies) -> MutexGuard<'_, Vec<Duration>> {
    latencies.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(State(latencies): State<Latencies>, body: Bytes) -> Json<Value> {
    let arrived = Timestamp::now();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let accepted = body["data"]["orderTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    if let Some(accepted) = accepted {
        lock(&latencies).push(Duration::try_from(arrived.duration_since(accepted)).unwrap_or_default());
    }
    Json(confirmation(&body))
}

/// The answer to a confirmation request; to anything else it means nothing.
fn confirmation(body: &Value) -> Value {
    json!({"confirmation": body["challenge"]})
}

/// A receiver whose endpoints answer 200 and then drip a byte each half second. It lives as long as this process.
pub(super) struct Dripping(SocketAddr);

impl Dripping {
    /// Starts it on a thread of its own.
    ///
    /// # Errors
    /// No port is free.
    pub(super) fn start() -> Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            runtime.block_on(async {
                while let Ok((line, _)) = listener.accept().await {
                    tokio::spawn(drip(line));
                }
            });
        });
        Ok(Self(address))
    }

    /// One of its endpoints.
    pub(super) fn url(&self, number: usize) -> String {
        format!("http://{}/{number}", self.0)
    }
}

async fn drip(mut line: TcpStream) -> Result<()> {
    let body: Value = serde_json::from_slice(&request(&mut line).await?)?;
    if body["challenge"].is_string() {
        let answer = confirmation(&body).to_string();
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length:";
        line.write_all(format!("{head} {}\r\n\r\n{answer}", answer.len()).as_bytes()).await?;
        return Ok(());
    }
    line.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await?;
    loop {
        line.write_all(b" ").await?;
        tokio::time::sleep(DRIP).await;
    }
}

/// The body of a request whose length is said.
async fn request(line: &mut TcpStream) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(body_at) = request.parse(&bytes)? {
            let length =
                request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
            let length: usize = std::str::from_utf8(length.context("a length")?.value)?.parse()?;
            if let Some(body) = bytes.get(body_at..body_at + length) {
                return Ok(body.to_vec());
            }
        }
        anyhow::ensure!(line.read_buf(&mut bytes).await? > 0, "it went away");
    }
}
