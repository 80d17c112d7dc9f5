//! A webhook receiver that confirms its subscription and takes everything.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Result;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, HOST};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime;

/// A running receiver. It lives as long as this process.
pub(crate) struct Receiver {
    address: SocketAddr,
    seen: Arc<Seen>,
}

/// What it has seen.
#[derive(Default)]
struct Seen {
    confirmed: AtomicUsize,
    taken: AtomicU32,
    first: Mutex<Option<Message>>,
}

/// A notification as it came.
#[derive(Clone)]
pub(crate) struct Message {
    /// Its headers, but for those of the connection.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Receiver {
    /// Starts it on a free port of the loopback interface, on a thread of its own.
    ///
    /// # Errors
    /// No port is free.
    pub(crate) fn start() -> Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let seen = Arc::<Seen>::default();
        let router = axum::Router::new().route("/hook", post(take)).route("/hook/{number}", post(take));
        let router = router.with_state(Arc::clone(&seen));
        thread::spawn(move || runtime.block_on(axum::serve(listener, router).into_future()));
        Ok(Self { address, seen })
    }

    /// The endpoint to subscribe.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// One of many endpoints to subscribe.
    pub(crate) fn url_of(&self, number: usize) -> String {
        format!("{}/{number}", self.url())
    }

    /// How many challenges it repeated so far.
    pub(crate) fn confirmed(&self) -> usize {
        self.seen.confirmed.load(Ordering::Relaxed)
    }

    /// How many notifications it took so far.
    pub(crate) fn taken(&self) -> u32 {
        self.seen.taken.load(Ordering::Relaxed)
    }

    /// The first notification that came.
    pub(crate) fn first(&self) -> Option<Message> {
        self.seen.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Repeats the challenge of a confirmation, which comes before any notification; takes anything else.
async fn take(State(seen): State<Arc<Seen>>, mut headers: HeaderMap, body: Bytes) -> Json<Value> {
    if seen.taken.load(Ordering::Relaxed) > 0 {
        seen.taken.fetch_add(1, Ordering::Relaxed);
        return Json(json!({}));
    }
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(challenge) = told.get("challenge") {
        seen.confirmed.fetch_add(1, Ordering::Relaxed);
        return Json(json!({"confirmation": challenge}));
    }
    headers.remove(HOST);
    headers.remove(CONTENT_LENGTH);
    seen.first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(Message { headers, body });
    seen.taken.fetch_add(1, Ordering::Relaxed);
    Json(json!({}))
}
