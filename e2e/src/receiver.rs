//! A webhook receiver: a real HTTP server that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::wait;

/// A running receiver on the loopback interface; it ends when this is dropped.
#[derive(Debug)]
pub struct Receiver {
    url: String,
    shared: Shared,
    server: JoinHandle<()>,
}

/// How it answers a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// With this status.
    Status(u16),
    /// With this status and this JSON.
    Json(u16, &'static str),
    /// With this status and a Retry-After of so many seconds.
    RetryAfter(u16, u64),
    /// With 200, after so long.
    After(Duration),
    /// Never.
    Hang,
}

/// How it answers the confirmation request of its subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consent {
    /// With the challenge, as it must be repeated.
    #[default]
    Given,
    /// With something else in the challenge's place.
    Wrong,
    /// With the whole request, as an echo server does.
    Echoed,
    /// With 200 and nothing.
    Silent,
}

/// A request that it received.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path it was sent to.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it was signed.
    pub body: String,
}

type Shared = Arc<Mutex<Inner>>;

#[derive(Debug)]
struct Inner {
    replies: VecDeque<Reply>,
    afterwards: Reply,
    consent: Consent,
    received: Vec<Received>,
}

impl Received {
    /// A header's text; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Its body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The challenge that it must repeat to confirm, if it is a confirmation request.
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        self.json().get("challenge")?.as_str().map(str::to_owned)
    }
}

impl Receiver {
    /// Starts a receiver that wants its subscriptions and answers 200 to everything.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let inner = Inner {
            replies: VecDeque::new(),
            afterwards: Reply::Status(200),
            consent: Consent::default(),
            received: Vec::new(),
        };
        let shared = Arc::new(Mutex::new(inner));
        let service = axum::Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                eprintln!("the receiver ended: {error}");
            }
        });
        Ok(Self { url, shared, server })
    }

    /// The URL of one of its paths, such as `/hook`; each is an endpoint of its own.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The program's settings to send to receivers on this machine.
    #[must_use]
    pub fn settings() -> Vec<(&'static str, String)> {
        vec![("ORDERBELL_WEBHOOK_ALLOWED_HOSTS", "127.0.0.1".to_owned())]
    }

    /// Answers the next notifications like this, one after the other, and all later ones with `afterwards`.
    pub fn answer(&self, replies: impl IntoIterator<Item = Reply>, afterwards: Reply) {
        let mut inner = lock(&self.shared);
        inner.replies = replies.into_iter().collect();
        inner.afterwards = afterwards;
    }

    /// Answers confirmations like this from now on.
    pub fn consent(&self, consent: Consent) {
        lock(&self.shared).consent = consent;
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared).received.clone()
    }

    /// The requests so far that were no confirmations, oldest first.
    #[must_use]
    pub fn notifications(&self) -> Vec<Received> {
        let inner = lock(&self.shared);
        inner.received.iter().filter(|received| received.challenge().is_none()).cloned().collect()
    }

    /// Waits until `count` notifications are there, and gives them all.
    ///
    /// # Errors
    /// They do not come soon.
    pub async fn wait_for_notifications(&self, count: usize) -> Result<Vec<Received>> {
        let enough = async || Ok(Some(self.notifications()).filter(|found| found.len() >= count));
        wait::until(&format!("{count} notifications"), enough).await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Inner> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    let received = Received { path: uri.path().to_owned(), headers, body };
    let challenge = received.challenge();
    let body = received.body.clone();
    let (consent, reply) = {
        let mut inner = lock(&shared);
        inner.received.push(received);
        let next = if challenge.is_none() { inner.replies.pop_front() } else { None };
        (inner.consent, next.unwrap_or(inner.afterwards))
    };
    match challenge {
        Some(challenge) => consent_to(consent, &challenge, body),
        None => reply_with(reply).await,
    }
}

fn consent_to(consent: Consent, challenge: &str, request: String) -> Response {
    match consent {
        Consent::Given => Json(json!({"confirmation": challenge})).into_response(),
        Consent::Wrong => Json(json!({"confirmation": "something else"})).into_response(),
        Consent::Echoed => request.into_response(),
        Consent::Silent => StatusCode::OK.into_response(),
    }
}

async fn reply_with(reply: Reply) -> Response {
    let status = |status| StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match reply {
        Reply::Status(code) => status(code).into_response(),
        Reply::Json(code, body) => {
            (status(code), [("content-type", "application/json")], body).into_response()
        }
        Reply::RetryAfter(code, seconds) => {
            (status(code), [("retry-after", seconds.to_string())]).into_response()
        }
        Reply::After(delay) => {
            tokio::time::sleep(delay).await;
            StatusCode::OK.into_response()
        }
        Reply::Hang => std::future::pending().await,
    }
}
