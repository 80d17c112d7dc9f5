//! The receivers of webhooks and of posts to chats: one server, an endpoint a path.

use std::time::Duration;

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use domain::endpoint::Protocol;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::receipts::{Ledger, Receipt, Signed, order_in};

/// How long a receiver takes over what it sees for the first time, so that kills find attempts in flight. What it knows
/// already it takes at once.
pub(crate) const WORK: Duration = Duration::from_millis(10);

/// Webhooks below this path do not consent to their subscriptions.
pub(crate) const UNWILLING: &str = "/unwilling/";
/// Below this path are chats.
pub(crate) const CHAT: &str = "/chat/";

/// Starts them; gives where they are.
pub(crate) async fn start(ledger: Ledger) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = axum::Router::new().fallback(receive).with_state(ledger);
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(url)
}

async fn receive(State(ledger): State<Ledger>, uri: Uri, headers: HeaderMap, body: Bytes) -> String {
    let body = String::from_utf8_lossy(&body).into_owned();
    let json = serde_json::from_str(&body).unwrap_or(Value::Null);
    if uri.path().starts_with(CHAT) {
        return post(&ledger, uri.path(), &json).await;
    }
    if let Some(challenge) = json.get("challenge") {
        let willing = !uri.path().starts_with(UNWILLING);
        return if willing { json!({"confirmation": challenge}).to_string() } else { "{}".to_owned() };
    }
    let header =
        |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let id = header("webhook-id");
    let receipt = Receipt {
        protocol: Protocol::Webhook,
        endpoint: uri.path().to_owned(),
        delivery: Some(id.replace('-', "")),
        order: json["data"]["orderId"].as_str().map(|id| id.replace('-', "")),
        signed: Some(Signed {
            id,
            timestamp: header("webhook-timestamp"),
            signatures: header("webhook-signature"),
            body,
        }),
    };
    take(&ledger, receipt).await;
    "{}".to_owned()
}

/// A confirmation's link, a notification, or a test.
async fn post(ledger: &Ledger, path: &str, json: &Value) -> String {
    let order = json["text"].as_str().and_then(order_in);
    if let (None, Some(link)) = (&order, confirmation_link(json)) {
        ledger.add_link(path, link);
    } else {
        let endpoint = path.to_owned();
        let receipt = Receipt { protocol: Protocol::Chat, endpoint, delivery: None, order, signed: None };
        take(ledger, receipt).await;
    }
    "ok".to_owned()
}

async fn take(ledger: &Ledger, receipt: Receipt) {
    if ledger.add(receipt) {
        tokio::time::sleep(WORK).await;
    }
}

/// The link under the words that ask for a confirmation, as Slack's markup has links: `<url|words>`.
fn confirmation_link(json: &Value) -> Option<String> {
    let texts = json["blocks"].as_array()?.iter().filter_map(|block| block["text"]["text"].as_str());
    let mut links = texts.filter_map(|text| {
        let (_, rest) = text.split_once("*<")?;
        let (url, _) = rest.split_once("|Confirm")?;
        Some(url.replace("&amp;", "&"))
    });
    links.next()
}
