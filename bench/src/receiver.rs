//! A webhook receiver that confirms its subscription and takes everything.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

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

use crate::order_id::order_id;

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
    /// What came when; nothing where nobody asks.
    arrivals: Option<Mutex<Vec<Arrival>>>,
}

/// A notification that came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// The order that it tells of.
    pub(crate) order: u128,
    /// When it was read.
    pub(crate) at: Instant,
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
        Self::serve(Seen::default())
    }

    /// Starts one that keeps when each notification came.
    ///
    /// # Errors
    /// No port is free.
    pub(crate) fn with_arrivals() -> Result<Self> {
        Self::serve(Seen { arrivals: Some(Mutex::default()), ..Seen::default() })
    }

    fn serve(seen: Seen) -> Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let seen = Arc::new(seen);
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

    /// Waits, up to so long, until it took so many notifications; gives how many it took.
    pub(crate) fn wait_for(&self, count: usize, longest: Duration) -> usize {
        let start = Instant::now();
        loop {
            let taken = usize::try_from(self.taken()).unwrap_or(usize::MAX);
            if taken >= count || start.elapsed() >= longest {
                return taken;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// What came so far, in its order; nothing unless it was started to keep that.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        let arrivals = self.seen.arrivals.as_ref();
        arrivals.map(|all| all.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default()
    }

    /// The first notification that came.
    pub(crate) fn first(&self) -> Option<Message> {
        self.seen.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Repeats the challenge of a confirmation, which comes before any notification; takes anything else.
async fn take(State(seen): State<Arc<Seen>>, mut headers: HeaderMap, body: Bytes) -> Json<Value> {
    if let Some(arrivals) = &seen.arrivals {
        let at = Instant::now();
        let arrival = order_id(&body).map(|order| Arrival { order, at });
        arrivals.lock().unwrap_or_else(PoisonError::into_inner).extend(arrival);
    }
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
