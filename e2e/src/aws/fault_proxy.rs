//! A small proxy before an emulator, for what the emulator itself never does: fail, throttle, hide an answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::publish_batch;
use crate::{client, wait};

/// What befalls a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is answered 500 and not passed on.
    Fail,
    /// It is answered as AWS does when too much is asked, and not passed on.
    Throttle,
    /// It is neither passed on nor answered.
    Swallow,
    /// It is passed on and never answered: its sender cannot know.
    HideAnswer,
}

/// A running proxy on the loopback interface; it ends when this is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    target: String,
    http: reqwest::Client,
    faults: Mutex<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    /// The operation that they befall, as it stands in the request; others pass.
    operation: String,
    next: VecDeque<Fault>,
    afterwards: Option<Fault>,
    /// Texts, and how often a message that holds one is refused by a batch that takes the others.
    refused: Vec<(String, u32)>,
    struck: usize,
}

impl FaultProxy {
    /// Starts a proxy before the server at `target`, that passes everything on.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(target: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared { target, http: client::http()?, faults: Mutex::default() });
        let service = axum::Router::new()
            .fallback(pass)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                eprintln!("the proxy ended: {error}");
            }
        });
        Ok(Self { url, shared, server })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets these befall the next requests of an operation, such as `PublishBatch`, one after the other, and
    /// `afterwards` all later ones.
    pub fn strike(&self, operation: &str, next: impl IntoIterator<Item = Fault>, afterwards: Option<Fault>) {
        let mut faults = self.shared.faults();
        operation.clone_into(&mut faults.operation);
        faults.next = next.into_iter().collect();
        faults.afterwards = afterwards;
    }

    /// Passes everything on again.
    pub fn heal(&self) {
        self.strike("", [], None);
    }

    /// Refuses, so many times, the entry of a `PublishBatch` whose text holds `text`; the batch's others pass.
    pub fn refuse_message(&self, text: &str, times: u32) {
        self.shared.faults().refused.push((text.to_owned(), times));
    }

    /// How many requests a fault befell so far.
    #[must_use]
    pub fn struck(&self) -> usize {
        self.shared.faults().struck
    }

    /// Waits until a fault befell `count` requests.
    ///
    /// # Errors
    /// They do not come soon.
    pub async fn wait_until_struck(&self, count: usize) -> Result<()> {
        let enough = async || Ok((self.struck() >= count).then_some(()));
        wait::until(&format!("{count} requests in trouble"), enough).await
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault that befalls a request.
    fn fault(&self, headers: &HeaderMap, body: &[u8]) -> Option<Fault> {
        let mut faults = self.faults();
        if !is_of(&faults.operation, headers, body) {
            return None;
        }
        let fault = faults.next.pop_front().or(faults.afterwards);
        faults.struck += usize::from(fault.is_some());
        fault
    }

    /// Whether a message is refused this time.
    fn refuses(&self, message: &str) -> bool {
        let mut faults = self.faults();
        let found =
            faults.refused.iter_mut().find(|(text, times)| *times > 0 && message.contains(text.as_str()));
        found.map(|(_, times)| *times -= 1).is_some()
    }

    async fn forward(
        &self,
        method: Method,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Body>> {
        let mut headers = headers;
        headers.remove("host");
        headers.remove("content-length");
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = self.http.request(method, format!("{}{path}", self.target)).headers(headers).body(body);
        let answer = request.send().await?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        response.headers_mut().remove("transfer-encoding");
        response.headers_mut().remove("connection");
        *response.body_mut() = Body::from(answer.bytes().await?);
        Ok(response)
    }
}

/// Whether a request is of an operation of DynamoDB's JSON protocol or SNS's query protocol.
fn is_of(operation: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let named = target.and_then(|target| target.rsplit_once('.')).map(|(_, name)| name == operation);
    let action = format!("Action={operation}&");
    !operation.is_empty() && named.unwrap_or_else(|| body.starts_with(action.as_bytes()))
}

async fn pass(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    match shared.fault(&headers, &body) {
        Some(Fault::Fail) => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        Some(Fault::Throttle) => error(StatusCode::BAD_REQUEST, "Throttling"),
        Some(Fault::Swallow) => std::future::pending().await,
        Some(Fault::HideAnswer) => {
            if let Err(error) = shared.forward(method, &uri, headers, body).await {
                eprintln!("the proxy could not pass a request on: {error:#}");
            }
            std::future::pending().await
        }
        None => {
            let passing = publish_batch::without(&body, |message| shared.refuses(message));
            match shared.forward(method, &uri, headers, passing.body).await {
                Ok(answer) if passing.refused.is_empty() => answer,
                Ok(answer) => publish_batch::with_refusals(answer, &passing.refused).await,
                Err(failure) => {
                    eprintln!("the proxy could not pass a request on: {failure:#}");
                    error(StatusCode::BAD_GATEWAY, "ServiceUnavailable")
                }
            }
        }
    }
}

/// An error in SNS's form. Source: AWS, "Making requests to the Query API".
fn error(status: StatusCode, code: &str) -> Response<Body> {
    let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
    let text = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>{fault}</Type>\
         <Code>{code}</Code><Message>emulated</Message></Error><RequestId>emulated</RequestId></ErrorResponse>"
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
