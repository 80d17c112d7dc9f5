//! A receiver with many endpoints: healthy ones, one that never answers and one that always fails.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime;

/// The path of the endpoint that takes calls and never answers.
pub(super) const HANGING: &str = "hanging";
/// The path of the endpoint that answers 500 for ever.
pub(super) const FAILING: &str = "failing";

/// A running receiver. It lives as long as this process.
pub(super) struct Receiver {
    url: String,
    taken: Arc<Mutex<Taken>>,
}

/// What arrived.
#[derive(Default)]
struct Taken {
    latencies: Vec<Duration>,
    calls: HashMap<String, usize>,
}

impl Receiver {
    /// Starts it on a free port of the loopback interface, on a thread of its own. All endpoints confirm.
    ///
    /// # Errors
    /// No port is free.
    pub(super) fn start() -> Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let taken = Arc::default();
        let router = axum::Router::new().route("/{endpoint}", post(take)).with_state(Arc::clone(&taken));
        thread::spawn(move || runtime.block_on(axum::serve(listener, router).into_future()));
        Ok(Self { url, taken })
    }

    /// The URL of an endpoint; any path but [`HANGING`] and [`FAILING`] is that of a healthy one.
    pub(super) fn url(&self, endpoint: &str) -> String {
        format!("{}/{endpoint}", self.url)
    }

    /// Waits, up to `timeout`, until healthy endpoints took `count` notifications; answers how many they took.
    pub(super) fn wait_for(&self, count: usize, timeout: Duration) -> usize {
        let start = Instant::now();
        while lock(&self.taken).latencies.len() < count && start.elapsed() < timeout {
            thread::sleep(Duration::from_millis(20));
        }
        lock(&self.taken).latencies.len().min(count)
    }

    /// How long each notification took from its order's acceptance to its arrival at a healthy endpoint.
    pub(super) fn latencies(&self) -> Vec<Duration> {
        lock(&self.taken).latencies.clone()
    }

    /// How many notifications an unhealthy endpoint was sent.
    pub(super) fn calls(&self, endpoint: &str) -> usize {
        lock(&self.taken).calls.get(endpoint).copied().unwrap_or_default()
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(State(taken): State<Arc<Mutex<Taken>>>, Path(endpoint): Path<String>, body: Bytes) -> Response {
    let arrived = Timestamp::now();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(challenge) = body.get("challenge") {
        return Json(json!({"confirmation": challenge})).into_response();
    }
    if endpoint == HANGING || endpoint == FAILING {
        *lock(&taken).calls.entry(endpoint.clone()).or_default() += 1;
        if endpoint == HANGING {
            std::future::pending::<()>().await;
        }
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let accepted = body["data"]["orderTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    if let Some(accepted) = accepted {
        let latency = Duration::try_from(arrived.duration_since(accepted)).unwrap_or_default();
        lock(&taken).latencies.push(latency);
    }
    Json(json!({})).into_response()
}
