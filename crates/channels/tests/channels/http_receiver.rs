//! An HTTP server that answers as it is told: with bytes, with silence, or by hanging up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What the receiver does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    /// A status line's rest and a body: `200 OK`.
    Answer(&'static str, String),
    /// The same with one more header.
    AnswerWith(&'static str, &'static str, String),
    /// The head of an answer, then a byte of its body now and then, for ever.
    Drip(&'static str),
    /// The head of an answer, and its body when a body that nobody needs would not be waited for any more.
    Late(&'static str, String),
    /// The head of an answer and half a body, then the end.
    BreakOff(&'static str),
    /// Repeats what it was sent.
    Echo,
    /// Asks the server at this port of the machine, and answers what that answers.
    Forward(u16),
    /// Answers what is no HTTP.
    Babble,
    Hang,
    HangUp,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) request_line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A running receiver; it ends with the test.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    usual: Reaction,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
    connections: Arc<AtomicUsize>,
    /// A permit for each connection that is over.
    over: Arc<Semaphore>,
}

impl Receiver {
    /// Reacts in order, and to all further requests with `200 OK`.
    pub(crate) async fn start(reactions: impl IntoIterator<Item = Reaction>) -> Self {
        Self::start_with(Reaction::Answer("200 OK", String::new()), reactions).await
    }

    /// Reacts in order, and to all further requests as usual.
    #[expect(clippy::disallowed_methods, reason = "the receiver is another party and runs beside the test")]
    pub(crate) async fn start_with(usual: Reaction, reactions: impl IntoIterator<Item = Reaction>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            port: listener.local_addr().unwrap().port(),
            received: Arc::default(),
            usual,
            reactions: Arc::new(Mutex::new(reactions.into_iter().collect())),
            connections: Arc::default(),
            over: Arc::new(Semaphore::new(0)),
        };
        let accepting = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = accepting.clone();
                receiver.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    receiver.serve(BufReader::new(stream)).await;
                    receiver.over.add_permits(1);
                });
            }
        });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?key=1", self.port)
    }

    /// The server as a whole, for a client of an API.
    pub(crate) fn api(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Waits until so many connections are over.
    pub(crate) async fn is_left_by(&self, connections: u32) {
        self.over.acquire_many(connections).await.unwrap().forget();
    }

    async fn serve(&self, mut stream: BufReader<TcpStream>) {
        while let Some(request) = read(&mut stream).await {
            self.received.lock().unwrap().push(request.clone());
            let scripted = self.reactions.lock().unwrap().pop_front();
            let reaction = scripted.unwrap_or_else(|| self.usual.clone());
            if react(stream.get_mut(), reaction, request).await.is_none() {
                return;
            }
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let request_line = line.trim_end().to_owned();
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    }
    let length = headers.get("content-length").map_or(0, |length| length.to_str().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { request_line, headers, body })
}

/// `None`: the connection is over.
async fn react(stream: &mut TcpStream, reaction: Reaction, asked: Received) -> Option<()> {
    match reaction {
        Reaction::Answer(status, body) => answer(stream, status, "x-nothing: 0", body.as_bytes()).await,
        Reaction::AnswerWith(status, header, body) => answer(stream, status, header, body.as_bytes()).await,
        Reaction::Echo => answer(stream, "200 OK", "content-type: application/json", &asked.body).await,
        Reaction::Forward(port) => forward(stream, port, &asked).await,
        Reaction::Drip(status) => drip(stream, status).await,
        Reaction::Late(status, body) => late(stream, status, &body).await,
        Reaction::BreakOff(status) => {
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: 100\r\n\r\nhalf of it");
            stream.write_all(head.as_bytes()).await.ok().and(None)
        }
        Reaction::Babble => stream.write_all(b"220 peer ESMTP\r\n").await.ok().and(None),
        Reaction::Hang => std::future::pending().await,
        Reaction::HangUp => None,
    }
}

/// One question, and its answer until the server closes.
async fn forward(stream: &mut TcpStream, port: u16, asked: &Received) -> Option<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut head = format!("{}\r\nconnection: close\r\n", asked.request_line).into_bytes();
    for (name, value) in &asked.headers {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    server.write_all(&[&head, b"\r\n".as_slice(), &asked.body].concat()).await.unwrap();
    tokio::io::copy(&mut server, stream).await.ok().and(None)
}

async fn answer(stream: &mut TcpStream, status: &str, header: &str, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{header}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body).await.ok()
}

#[expect(clippy::disallowed_methods, reason = "a slow receiver takes its time")]
async fn late(stream: &mut TcpStream, status: &str, body: &str) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.ok()?;
    tokio::time::sleep(Duration::from_millis(600)).await;
    stream.write_all(body.as_bytes()).await.ok()
}

#[expect(clippy::disallowed_methods, reason = "a slow receiver takes its time")]
async fn drip(stream: &mut TcpStream, status: &str) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    loop {
        stream.write_all(b"x").await.ok()?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
