//! A webhook receiver that confirms its subscription and takes everything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use anyhow::Result;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime;

/// A running receiver. It lives as long as this process.
pub(crate) struct Receiver {
    address: SocketAddr,
    taken: Arc<AtomicU32>,
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
        let taken = Arc::new(AtomicU32::new(0));
        let router = axum::Router::new().route("/hook", post(take)).with_state(Arc::clone(&taken));
        thread::spawn(move || runtime.block_on(axum::serve(listener, router).into_future()));
        Ok(Self { address, taken })
    }

    /// The endpoint to subscribe.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// How many notifications it took so far.
    pub(crate) fn taken(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Repeats the challenge of a confirmation; takes anything else.
async fn take(State(taken): State<Arc<AtomicU32>>, body: Bytes) -> Json<Value> {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(challenge) = body.get("challenge") {
        return Json(json!({"confirmation": challenge}));
    }
    taken.fetch_add(1, Ordering::Relaxed);
    Json(json!({}))
}
