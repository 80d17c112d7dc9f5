//! The webhooks' receivers: one server, an endpoint a path.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How long a receiver takes over what it sees for the first time, so that kills find attempts in flight. What it knows
/// already it takes at once.
const WORK: Duration = Duration::from_millis(25);

/// Paths below this one do not consent to their subscriptions.
pub(crate) const UNWILLING: &str = "/unwilling/";

/// A notification that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    /// At which path.
    pub(crate) path: String,
    /// Its `webhook-id`.
    pub(crate) id: String,
    /// The order that it tells of.
    pub(crate) order: String,
}

#[derive(Debug, Default)]
struct Seen {
    ids: HashSet<String>,
    receipts: Vec<Receipt>,
}

/// The running receivers.
#[derive(Debug)]
pub(crate) struct Receivers {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Receivers {
    /// Starts them.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let seen = Arc::<Mutex<Seen>>::default();
        let router = axum::Router::new().fallback(receive).with_state(Arc::clone(&seen));
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self { url, seen })
    }

    /// Where they are.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All that arrived so far.
    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        self.seen.lock().expect("no receiver panics").receipts.clone()
    }
}

async fn receive(
    State(seen): State<Arc<Mutex<Seen>>>,
    uri: Uri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Json<Value> {
    if let Some(challenge) = body.get("challenge") {
        let willing = !uri.path().starts_with(UNWILLING);
        return Json(if willing { json!({"confirmation": challenge}) } else { json!({}) });
    }
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let order = body["data"]["orderId"].as_str().unwrap_or_default().to_owned();
    let is_new = {
        let mut seen = seen.lock().expect("no receiver panics");
        seen.receipts.push(Receipt { path: uri.path().to_owned(), id: id.clone(), order });
        seen.ids.insert(id)
    };
    if is_new {
        tokio::time::sleep(WORK).await;
    }
    Json(json!({}))
}
