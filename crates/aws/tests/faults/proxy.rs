//! Stands in front of DynamoDB Local and makes happen what it never does.
#![expect(clippy::unwrap_used, reason = "all of it is for tests")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

/// What happens to one call.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// The table never sees it; this is answered.
    Instead(u16, String),
    /// The table does it; this is answered all the same.
    After(u16, String),
    /// The table does it, and the connection breaks before the answer.
    HungUpAfter,
    /// The table does it, and no answer ever comes.
    StalledAfter,
    /// Nobody reads it, and no answer ever comes.
    Stalled,
    /// It is passed on and answered.
    Nothing,
}

/// Every call that was seen, and what is to happen to the next ones, each by the name of its operation.
#[derive(Default)]
struct Plan {
    seen: Vec<String>,
    coming: Vec<(&'static str, VecDeque<Happening>)>,
    always: Vec<(&'static str, Happening)>,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) address: String,
    plan: Arc<Mutex<Plan>>,
}

impl Proxy {
    /// Listens in front of `upstream`.
    #[expect(clippy::disallowed_methods, reason = "the tests are the host")]
    pub(crate) async fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Self { address, plan: Arc::default() };
        let (served, upstream) = (proxy.clone(), upstream.to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, served.clone(), upstream.clone()));
            }
        });
        proxy
    }

    /// Makes these happen to the next calls of an operation, in this order.
    pub(crate) fn next(&self, operation: &'static str, happenings: impl IntoIterator<Item = Happening>) {
        self.plan.lock().unwrap().coming.push((operation, happenings.into_iter().collect()));
    }

    /// Makes this happen to every call of an operation that nothing else is planned for.
    pub(crate) fn always(&self, operation: &'static str, happening: Happening) {
        self.plan.lock().unwrap().always.push((operation, happening));
    }

    /// How many calls of an operation came.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.plan.lock().unwrap().seen.iter().filter(|seen| *seen == operation).count()
    }

    fn happening(&self, operation: String) -> Happening {
        let mut plan = self.plan.lock().unwrap();
        let mut coming = plan.coming.iter_mut().filter(|(of, _)| *of == operation);
        let next = coming.find_map(|(_, coming)| coming.pop_front());
        let always = plan.always.iter().find(|(of, _)| *of == operation).map(|(_, always)| always.clone());
        plan.seen.push(operation);
        next.or(always).unwrap_or(Happening::Nothing)
    }
}

async fn serve(stream: TcpStream, proxy: Proxy, upstream: String) {
    let answer = service_fn(move |request| answer(request, proxy.clone(), upstream.clone()));
    // A connection that a plan breaks is an error here.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(
    request: Request<Incoming>,
    proxy: Proxy,
    upstream: String,
) -> io::Result<Response<Full<Bytes>>> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.split('.').next_back()).unwrap_or_default().to_owned();
    match proxy.happening(operation) {
        Happening::Stalled => stall().await,
        Happening::Instead(status, body) => Ok(of_table(status, body)),
        Happening::Nothing => Ok(pass_on(request, &upstream).await),
        Happening::After(status, body) => {
            done(&pass_on(request, &upstream).await);
            Ok(of_table(status, body))
        }
        Happening::HungUpAfter => {
            done(&pass_on(request, &upstream).await);
            Err(io::ErrorKind::ConnectionReset.into())
        }
        Happening::StalledAfter => {
            done(&pass_on(request, &upstream).await);
            stall().await
        }
    }
}

fn done(answer: &Response<Full<Bytes>>) {
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
}

async fn stall() -> io::Result<Response<Full<Bytes>>> {
    match pending::<Infallible>().await {}
}

/// An answer as the table gives it.
fn of_table(status: u16, body: String) -> Response<Full<Bytes>> {
    let answer = Response::builder().status(status).header(CONTENT_TYPE, "application/x-amz-json-1.0");
    answer.body(Full::from(body)).unwrap()
}

async fn pass_on(request: Request<Incoming>, upstream: &str) -> Response<Full<Bytes>> {
    let (mut head, body) = request.into_parts();
    head.uri = format!("{upstream}{}", head.uri.path()).parse().unwrap();
    head.headers.remove(HOST);
    let body: Full<Bytes> = Full::from(body.collect().await.unwrap().to_bytes());
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(Request::from_parts(head, body)).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let answer = Response::builder().status(head.status).header(CONTENT_TYPE, "application/x-amz-json-1.0");
    answer.body(Full::from(body)).unwrap()
}
