//! A provider of text messages, as Twilio's Messages API is one: it takes most messages, asks for patience now and then,
//! and now and then drops the line after it took one.
//!
//! Source: Twilio, "Messages resource".

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use domain::endpoint::Protocol;
use orderbell_e2e::program::Settings;
use orderbell_e2e::twilio::{PUBLIC_URL, settings};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;

use crate::receipts::{Ledger, Receipt, order_in};
use crate::web_receivers::WORK;

/// One message in so many is answered 429, which pauses the channel.
const REFUSED: usize = 500;
/// After one message in so many the line drops.
const DROPPED: usize = 60;

/// The running provider.
#[derive(Debug, Clone)]
pub(crate) struct Twilio {
    ledger: Ledger,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// Where messages are told that were taken while the provider misbehaves; gone once it behaves.
    taken: Option<UnboundedSender<Taken>>,
    dropped: Vec<String>,
    refused: usize,
}

/// A message that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// The delivery's id, without hyphens.
    pub(crate) delivery: String,
    /// Where its reports go: the callback's URL without the host.
    pub(crate) callback: String,
    /// The message's own name.
    pub(crate) sid: String,
}

impl Twilio {
    /// Starts it; each message that it takes until it [behaves](Self::behave) is told to `taken`. Gives the program's
    /// settings, too.
    pub(crate) async fn start(ledger: Ledger, taken: UnboundedSender<Taken>) -> Result<(Self, Settings)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let settings = settings(&format!("http://{}", listener.local_addr()?));
        let state = State { taken: Some(taken), dropped: Vec::new(), refused: 0 };
        let twilio = Self { ledger, state: Arc::new(Mutex::new(state)) };
        let server = twilio.clone();
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(line).await });
            }
        });
        Ok((twilio, settings))
    }

    /// From now on it takes every message, answers each, and calls nobody back.
    pub(crate) fn behave(&self) {
        self.with(|state| state.taken = None);
    }

    /// The deliveries, without hyphens, after whose message the line dropped.
    pub(crate) fn dropped(&self) -> Vec<String> {
        self.with(|state| state.dropped.clone())
    }

    /// How often it asked for patience.
    pub(crate) fn refused(&self) -> usize {
        self.with(|state| state.refused)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One request on one line. No answer: the line drops.
    async fn serve(&self, line: TcpStream) -> Result<()> {
        let mut line = BufReader::new(line);
        let (is_message, form) = read_request(&mut line).await?;
        let answer = if is_message { self.take(&form).await? } else { Some((200, "{}".to_owned())) };
        if let Some((status, body)) = answer {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} Answered\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n"
            );
            line.write_all(format!("{head}{body}").as_bytes()).await?;
        }
        Ok(line.shutdown().await?)
    }

    async fn take(&self, form: &[(String, String)]) -> Result<Option<(u16, String)>> {
        let misbehaves = self.with(|state| state.taken.is_some());
        if misbehaves && fastrand::usize(..REFUSED) == 0 {
            self.with(|state| state.refused += 1);
            let body = r#"{"code": 20429, "message": "Too Many Requests", "status": 429}"#;
            return Ok(Some((429, body.to_owned())));
        }
        let field =
            |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let (to, body) = field("To").zip(field("Body")).context("a message")?;
        let callback = field("StatusCallback").context("a callback's URL")?;
        let callback = callback.strip_prefix(PUBLIC_URL).context("a callback to the program")?.to_owned();
        let path = callback.split('?').next().unwrap_or_default();
        let delivery = path.rsplit('/').next().unwrap_or_default().replace('-', "");
        let sid = format!("SM{:032x}", fastrand::u128(..));
        let taken = Taken { delivery: delivery.clone(), callback, sid };
        let answer = format!(r#"{{"sid": "{}", "status": "queued", "num_segments": "2"}}"#, taken.sid);
        self.write_down(to, body, &delivery);
        let drops = misbehaves && fastrand::usize(..DROPPED) == 0;
        self.with(|state| {
            if drops {
                state.dropped.push(delivery);
            }
            // Nobody listens any more only if the test has failed.
            let _told = state.taken.as_ref().map(|listener| listener.send(taken));
        });
        tokio::time::sleep(WORK).await;
        Ok((!drops).then_some((201, answer)))
    }

    /// A confirmation's link, a notification, or a test.
    fn write_down(&self, to: &str, body: &str, delivery: &str) {
        let order = order_in(body);
        let link = body.split_whitespace().find(|word| word.contains("/subscriptions/confirm"));
        if let Some(link) = link.filter(|_| order.is_none()) {
            self.ledger.add_link(to, link.to_owned());
        } else {
            let (endpoint, delivery) = (to.to_owned(), Some(delivery.to_owned()));
            self.ledger.add(Receipt { protocol: Protocol::Sms, endpoint, delivery, order, signed: None });
        }
    }
}

/// Whether the request makes a message, and its form.
async fn read_request(line: &mut BufReader<TcpStream>) -> Result<(bool, Vec<(String, String)>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && line.read_line(&mut head).await? > 0 {}
    let length = head.lines().find_map(|header| {
        let (name, value) = header.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") { value.trim().parse().ok() } else { None }
    });
    let mut body = vec![0; length.unwrap_or(0)];
    line.read_exact(&mut body).await?;
    Ok((head.starts_with("POST"), url::form_urlencoded::parse(&body).into_owned().collect()))
}
