//! An HTTP server that answers as it is told: with bytes, with silence, or by hanging up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the receiver does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    /// A status line's rest and a body: `200 OK`.
    Answer(&'static str, String),
    /// The same with one more header.
    AnswerWith(&'static str, &'static str, String),
    /// The head of an answer, then a byte of its body now and then, for ever.
    Drip(&'static str),
    /// The head of an answer and half a body, then the end.
    BreakOff(&'static str),
    /// Repeats what it was sent.
    Echo,
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

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A running receiver; it ends with the test.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
}

impl Receiver {
    /// Reacts in order, and to all further requests with `200 OK`.
    #[expect(clippy::disallowed_methods, reason = "the receiver is another party and runs beside the test")]
    pub(crate) async fn start(reactions: impl IntoIterator<Item = Reaction>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            port: listener.local_addr().unwrap().port(),
            received: Arc::default(),
            reactions: Arc::new(Mutex::new(reactions.into_iter().collect())),
        };
        let accepting = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = accepting.clone();
                tokio::spawn(async move { receiver.serve(BufReader::new(stream)).await });
            }
        });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?key=1", self.port)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    async fn serve(&self, mut stream: BufReader<TcpStream>) {
        while let Some(request) = read(&mut stream).await {
            self.received.lock().unwrap().push(request.clone());
            let usual = Reaction::Answer("200 OK", String::new());
            let reaction = self.reactions.lock().unwrap().pop_front().unwrap_or(usual);
            if react(stream.get_mut(), reaction, request.body).await.is_none() {
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
async fn react(stream: &mut TcpStream, reaction: Reaction, asked: Vec<u8>) -> Option<()> {
    match reaction {
        Reaction::Answer(status, body) => answer(stream, status, "x-nothing: 0", body.as_bytes()).await,
        Reaction::AnswerWith(status, header, body) => answer(stream, status, header, body.as_bytes()).await,
        Reaction::Echo => answer(stream, "200 OK", "content-type: application/json", &asked).await,
        Reaction::Drip(status) => drip(stream, status).await,
        Reaction::BreakOff(status) => {
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: 100\r\n\r\nhalf of it");
            stream.write_all(head.as_bytes()).await.ok().and(None)
        }
        Reaction::Babble => stream.write_all(b"220 peer ESMTP\r\n").await.ok().and(None),
        Reaction::Hang => std::future::pending().await,
        Reaction::HangUp => None,
    }
}

async fn answer(stream: &mut TcpStream, status: &str, header: &str, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{header}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body).await.ok()
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
